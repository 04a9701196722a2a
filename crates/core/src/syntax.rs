//! What a parser of TOML says.

/// Longest message that quotes the file.
const LONGEST: usize = 2000;

/// The message with the line it is about, or with its place alone where that line is long.
pub(crate) fn explain(text: &str, error: &toml::de::Error) -> String {
    let whole = error.to_string();
    let Some(before) = error.span().and_then(|span| text.get(..span.start)).filter(|_| whole.len() > LONGEST)
    else {
        return whole;
    };
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let message: String = error.message().chars().take(LONGEST).collect();
    format!("line {line}, column {column}: {message}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_not_quoted() {
        let explained = |text: &str| explain(text, &toml::from_str::<toml::Table>(text).unwrap_err());
        assert!(explained("a = 1\nb = [1,,2]").contains("b = [1,,2]"));
        let long = format!("a = 1\nb = [{},2]", "1,".repeat(50_000));
        assert_eq!(explained(&long), "line 2, column 100006: extra comma in array, expected value");
    }
}
