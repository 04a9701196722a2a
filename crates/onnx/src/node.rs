//! What a node says of itself.

use crate::messages::{AttributeProto, NodeProto};

impl NodeProto {
    /// Whether it applies this operator.
    pub fn is(&self, operator: &str) -> bool {
        self.op_type.as_deref() == Some(operator)
    }

    /// Its name; empty where it has none.
    pub fn title(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// Whole numbers of an attribute.
    pub fn ints(&self, name: &str) -> Option<&[i64]> {
        self.named(name).map(|attribute| attribute.ints.as_slice())
    }

    fn named(&self, name: &str) -> Option<&AttributeProto> {
        self.attribute.iter().find(|attribute| attribute.name.as_deref() == Some(name))
    }
}
