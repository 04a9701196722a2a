//! Findings and impression of a report of MIMIC-CXR.

/// Headings of what is seen on the film, in small letters.
const SEEN: [&str; 5] =
    ["findings", "impression", "conclusion", "findings/impression", "findings and impression"];

/// Longest heading: a sentence that contains a colon is none.
const MAX_HEADING_BYTES: usize = 48;

/// The text under FINDINGS and IMPRESSION; `None` where a report has neither heading.
///
/// A heading is a line's beginning in capitals, up to a colon. Indication, history, comparison and technique speak of other
/// films or of what was expected, so they are left out.
pub(super) fn findings_and_impression(report: &str) -> Option<String> {
    let mut kept = String::new();
    let mut is_kept = false;
    for line in report.lines() {
        let line = line.trim();
        let rest = match heading(line) {
            Some((heading, rest)) => {
                is_kept = SEEN.contains(&heading.to_lowercase().as_str());
                rest
            }
            None => line,
        };
        if is_kept && !rest.is_empty() {
            kept.push_str(rest);
            kept.push(' ');
        }
    }
    Some(kept.trim().to_owned()).filter(|text| !text.is_empty())
}

fn heading(line: &str) -> Option<(&str, &str)> {
    let (heading, rest) = line.split_once(':')?;
    let is_heading = heading.len() <= MAX_HEADING_BYTES
        && heading.chars().any(char::is_alphabetic)
        && !heading.chars().any(char::is_lowercase);
    is_heading.then_some((heading.trim(), rest.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_is_seen() {
        let report = " FINAL REPORT\n EXAMINATION:  CHEST (PA AND LAT)\n\n INDICATION:  pneumonia?\n\n FINDINGS: \n \n The lungs are \
                      clear.  Note: no edema.\n 12:30 film.\n IMPRESSION:  No acute process.\n NOTIFICATION: called.\n";
        assert_eq!(
            findings_and_impression(report).unwrap(),
            "The lungs are clear.  Note: no edema. 12:30 film. No acute process."
        );
        assert_eq!(findings_and_impression("WET READ: clear\n nothing else"), None);
        assert_eq!(findings_and_impression("FINDINGS:\n"), None);
    }
}
