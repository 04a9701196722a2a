//! An error with all that caused it, on one line.

use std::error::Error;

/// The error and its causes, joined by `: `; a cause that its effect has quoted already is left out.
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut causes = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        causes.push(error.to_string());
        next = error.source();
    }
    joined(causes)
}

/// Causes on one line, the effect first.
pub fn joined(causes: impl IntoIterator<Item = String>) -> String {
    let mut line = String::new();
    for cause in causes {
        // Only the layout of messages over several lines is taken away; what else is odd in names stays to be seen.
        let text = cause.replace("\r\n", "\n");
        let words: Vec<_> = text.split([' ', '\n']).filter(|word| !word.is_empty()).collect();
        let text = words.join(" ");
        if line.ends_with(&text) {
            continue;
        }
        if !line.is_empty() {
            line.push_str(": ");
        }
        line.push_str(&text);
    }
    line
}

#[cfg(test)]
mod tests {
    use std::io;

    use thiserror::Error;

    use super::*;

    #[derive(Debug, Error)]
    #[error("the tower failed{0}")]
    struct Outer(&'static str, #[source] io::Error);

    #[test]
    fn a_cause_is_told_once_and_on_one_line() {
        let cause = || io::Error::other("line 1\r\n  | ^\nno memory");
        assert_eq!(with_causes(&Outer("", cause())), "the tower failed: line 1 | ^ no memory");
        assert_eq!(
            with_causes(&Outer(": line 1 | ^ no memory", cause())),
            "the tower failed: line 1 | ^ no memory"
        );
        let error = io::Error::other(Outer(": line 1\n  | ^\nno memory", cause()));
        assert_eq!(with_causes(&error), "the tower failed: line 1 | ^ no memory");
    }

    #[test]
    fn what_is_odd_in_a_name_stays() {
        assert_eq!(
            joined(["a\r\u{1b}[2K\tb.png: line 1\r\n  | ^".to_owned()]),
            "a\r\u{1b}[2K\tb.png: line 1 | ^"
        );
    }
}
