//! Any text is labeled without a panic, and what comes back is consistent.

use std::sync::LazyLock;

use medclip_core::{Certainty, Finding};
use medclip_labeler::{Labeler, sentences, split};
use proptest::prelude::*;

static LABELER: LazyLock<Labeler> = LazyLock::new(Labeler::new);

/// Report-like text: words that the rules know, between odd characters.
fn report_like() -> impl Strategy<Value = String> {
    let words = [
        "no",
        "possible",
        "heart",
        "enlarged",
        "effusion",
        "lungs are clear",
        "versus",
        "not",
        "seen",
        "history of",
        "nodule",
        "is",
        "but",
        ",",
        ".",
        ";",
        ":",
        "1.",
        "2)",
        "3",
        "\n",
        "\n\n",
        "FINDINGS:",
        "IMPRESSION",
        "XXXX",
        "x-XXXX",
        "Dr.",
        "1.5 cm",
        "É",
        "–",
        "肺",
        "\u{a0}",
        "\u{2028}",
        "(",
        "..",
        "?",
        "-",
    ];
    prop::collection::vec(
        (prop::sample::select(words.to_vec()), prop::sample::select(vec!["", " ", "  "])),
        0..60,
    )
    .prop_map(|parts| parts.into_iter().flat_map(|(word, space)| [word, space]).collect())
}

/// True when `part` is a slice of `whole`.
fn within(whole: &str, part: &str) -> bool {
    whole.as_bytes().as_ptr_range().contains(&part.as_ptr())
}

fn check(text: &str) -> Result<(), TestCaseError> {
    for sentence in split(text) {
        prop_assert!(within(text, sentence.text));
        prop_assert!(sentence.text.chars().any(char::is_alphabetic));
        prop_assert_eq!(sentence.text.trim(), sentence.text);
    }
    let read = LABELER.report(text);
    prop_assert_eq!(read.sentences.len(), sentences(text).len());
    for finding in Finding::ALL.into_iter().filter(|finding| *finding != Finding::NoFinding) {
        let any = |certainty| read.sentences.iter().any(|(_, labels)| labels[finding] == certainty);
        let want =
            [Certainty::Positive, Certainty::Uncertain, Certainty::Negative].into_iter().find(|c| any(*c));
        prop_assert_eq!(read.labels[finding], want.unwrap_or_default());
    }
    for mention in LABELER.mentions(text) {
        prop_assert!(text.get(mention.span).is_some_and(|term| !term.is_empty()));
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_text(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn text_like_a_report(text in report_like()) {
        check(&text)?;
    }

    #[test]
    fn case_does_not_matter(text in "[a-z ,.;]{0,80}") {
        prop_assert_eq!(LABELER.sentence(&text), LABELER.sentence(&text.to_ascii_uppercase()));
    }
}
