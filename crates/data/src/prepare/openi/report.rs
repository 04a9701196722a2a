//! One report of Open-I.

use roxmltree::{Document, Node};
use thiserror::Error;

/// A report as its file has it.
pub(super) struct ReportText {
    /// Such as `CXR1`.
    pub(super) id: String,
    /// What was coded, each with its details after `/`.
    pub(super) codes: Vec<String>,
    /// Names of the images, without an ending.
    pub(super) images: Vec<String>,
    findings: String,
    impression: String,
}

/// Why a file is no report.
#[derive(Debug, Error)]
pub(super) enum ReportError {
    #[error("not a readable XML file")]
    Xml(#[from] roxmltree::Error),
    #[error("the report has no `{element}`; the elements of the first level are {found}")]
    Missing { element: &'static str, found: String },
    #[error("the image `{name}` is not a plain name")]
    Image { name: String },
}

impl ReportText {
    /// # Errors
    /// [`ReportError`] for a text that is no XML, or that lacks what identifies a report.
    pub(super) fn parse(text: &str) -> Result<Self, ReportError> {
        let document = Document::parse(text.trim_start_matches('\u{feff}'))?;
        let root = document.root_element();
        let missing = |element| {
            let found: Vec<&str> = root
                .children()
                .filter(Node::is_element)
                .map(|node| node.tag_name().name())
                .take(20)
                .collect();
            ReportError::Missing { element, found: found.join(", ") }
        };
        let id = elements(root, "uId").find_map(|node| node.attribute("id")).ok_or_else(|| missing("uId"))?;
        let coding = elements(root, "MeSH").next().ok_or_else(|| missing("MeSH"))?;
        let mut images: Vec<String> = Vec::new();
        for name in elements(root, "parentImage").filter_map(|node| node.attribute("id")).map(str::trim) {
            // It becomes part of a path.
            if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\']) {
                return Err(ReportError::Image { name: name.to_owned() });
            }
            images.push(name.to_owned());
        }
        let section = |label: &str| {
            let mut sections = elements(root, "AbstractText");
            let found =
                sections.find(|node| node.attribute("Label").is_some_and(|l| l.eq_ignore_ascii_case(label)));
            found.and_then(|node| node.text()).unwrap_or_default().trim().to_owned()
        };
        let codes = elements(coding, "major").filter_map(|node| node.text()).map(str::trim);
        Ok(Self {
            id: id.trim().to_owned(),
            codes: codes.filter(|code| !code.is_empty()).map(str::to_owned).collect(),
            images,
            findings: section("FINDINGS"),
            impression: section("IMPRESSION"),
        })
    }

    /// Whether somebody coded it.
    pub(super) fn is_coded(&self) -> bool {
        !self.codes.is_empty() && self.codes.iter().all(|code| code != "No Indexing")
    }

    /// Findings and impression.
    pub(super) fn text(&self) -> Option<String> {
        let text = format!("{} {}", self.findings, self.impression);
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }
}

fn elements<'a>(node: Node<'a, 'a>, name: &'static str) -> impl Iterator<Item = Node<'a, 'a>> {
    node.descendants().filter(move |node| node.has_tag_name(name))
}
