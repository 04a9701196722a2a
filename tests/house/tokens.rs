//! The words of Rust source, without comments and texts.

/// A word or sign of source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    Word(String),
    /// `::`
    Of,
    Sign(char),
}

impl Token {
    pub(crate) fn word(&self) -> Option<&str> {
        if let Self::Word(word) = self { Some(word) } else { None }
    }

    pub(crate) fn is(&self, sign: char) -> bool {
        *self == Self::Sign(sign)
    }
}

/// The tokens of a file that are no part of its tests, and the modules that it declares for tests alone.
pub(crate) fn without_tests(source: &str) -> (Vec<Token>, Vec<String>) {
    const OF_TESTS: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let all = all(source);
    let (mut kept, mut modules, mut at) = (Vec::new(), Vec::new(), 0);
    while at < all.len() {
        let is_of_tests = all[at..].len() >= OF_TESTS.len()
            && all[at..].iter().zip(OF_TESTS).all(|(token, expected)| match token {
                Token::Word(word) => word == expected,
                Token::Sign(sign) => expected == sign.to_string(),
                Token::Of => false,
            });
        if !is_of_tests {
            kept.push(all[at].clone());
            at += 1;
            continue;
        }
        let start = at + OF_TESTS.len();
        at = end_of_item(&all, start);
        if let Some([_, name, end]) = all[start..at].windows(3).find(|words| words[0].word() == Some("mod"))
            && end.is(';')
        {
            modules.extend(name.word().map(str::to_owned));
        }
    }
    (kept, modules)
}

/// Where the item from `at` on ends: after its semicolon, or after its braces.
fn end_of_item(tokens: &[Token], mut at: usize) -> usize {
    let (mut depth, mut is_attribute) = (0, false);
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            Token::Sign('#') if depth == 0 => is_attribute = true,
            Token::Sign('(' | '[' | '{') => depth += 1,
            Token::Sign(')' | ']') => {
                depth -= 1;
                is_attribute &= depth > 0;
            }
            Token::Sign('}') => {
                depth -= 1;
                // The braces of a `use` are within it.
                if depth == 0 && !tokens.get(at).is_some_and(|next| next.is(';')) {
                    return at;
                }
            }
            Token::Sign(';') if depth == 0 && !is_attribute => return at,
            _ => {}
        }
    }
    at
}

/// All tokens of a file.
pub(crate) fn all(source: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let is_of_word = |c: char| c.is_alphanumeric() || c == '_';
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = raw_text(rest) {
            length
        } else if first == '"' {
            text(rest, '"')
        } else if first == '\'' {
            character(rest)
        } else if is_of_word(first) {
            let length = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
            found.push(Token::Word(rest[..length].to_owned()));
            length
        } else if rest.starts_with("::") {
            found.push(Token::Of);
            2
        } else {
            if !first.is_whitespace() {
                found.push(Token::Sign(first));
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    found
}

/// Bytes of a text or character with its marks.
fn text(source: &str, mark: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in source.char_indices().skip(1) {
        if c == mark && !is_escaped {
            return at + 1;
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    source.len()
}

/// Bytes of a character, or of the mark of a lifetime.
fn character(source: &str) -> usize {
    let mut chars = source.chars().skip(1);
    let (first, second) = (chars.next(), chars.next());
    if first == Some('\\') || second == Some('\'') { text(source, '\'') } else { 1 }
}

/// Bytes of a raw text; none of anything else.
fn raw_text(source: &str) -> Option<usize> {
    let start = source.strip_prefix('r').or_else(|| source.strip_prefix("br"))?;
    let marks = start.len() - start.trim_start_matches('#').len();
    start[marks..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(marks));
    let from = source.len() - start.len() + marks + 1;
    Some(source[from..].find(&end).map_or(source.len(), |at| from + at + end.len()))
}

#[test]
fn what_is_of_tests_is_left_out() {
    let source = r#"
        use a::B; // use c::D;
        #[cfg(test)] mod fixture;
        const TEXT: &str = r"use e::F;"; fn f<'a>(x: &'a str) -> char { '"' }
        #[cfg(test)] #[allow(x, reason = "y")] mod tests { use super::*; fn g() {} }
        #[cfg(test)] use crate::{h, i};
        #[cfg(test)] fn j() -> [u8; 3] { [0; 3] }
        fn k() {}
    "#;
    let (tokens, modules) = without_tests(source);
    let words: Vec<&str> = tokens.iter().filter_map(Token::word).collect();
    assert_eq!(raw_text("r#\"a\"b\"# c"), Some(8));
    let expected = "use a B const TEXT str fn f a x a str char fn k";
    assert_eq!((words.join(" ").as_str(), modules), (expected, vec!["fixture".to_owned()]));
}
