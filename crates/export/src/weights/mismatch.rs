//! Differences between weights and an architecture.

use std::fmt;

/// Every difference between a checkpoint and an architecture.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WeightsMismatch {
    /// Named by the architecture and absent.
    pub missing: Vec<String>,
    /// Present and unknown to the architecture.
    pub unexpected: Vec<String>,
    /// Present with other sizes.
    pub misshapen: Vec<Misshapen>,
}

impl WeightsMismatch {
    pub(super) fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.misshapen.is_empty()
    }
}

impl fmt::Display for WeightsMismatch {
    /// One difference a line, each after a line break.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for name in &self.missing {
            write!(f, "\n  missing {name}")?;
        }
        for name in &self.unexpected {
            write!(f, "\n  unexpected {name}")?;
        }
        for Misshapen { name, expected, actual } in &self.misshapen {
            write!(f, "\n  {name} is {actual:?}, needs {expected:?}")?;
        }
        Ok(())
    }
}

/// A tensor with other sizes than its architecture gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misshapen {
    /// Name of the tensor.
    pub name: String,
    /// Sizes by the architecture.
    pub expected: Vec<usize>,
    /// Sizes in the file.
    pub actual: Vec<usize>,
}
