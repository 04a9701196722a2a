//! Warnings of text that a model may not take in as it was meant.

use anyhow::Context;
use medclip_core::tokenize::TextDoubt;

use crate::say;

/// Says on standard error how many of these prompts lose something, with the first of them.
pub(crate) fn warn_of_prompts<'a, E>(
    sentences: impl IntoIterator<Item = &'a str>,
    doubts: impl Fn(&str) -> Result<Vec<TextDoubt>, E>,
) -> anyhow::Result<()>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let (mut count, mut all, mut first) = (0_usize, 0_usize, None);
    for sentence in sentences {
        all += 1;
        if let Some(doubt) = doubts(sentence).context("cannot tokenize the prompts")?.into_iter().next() {
            count += 1;
            first.get_or_insert((sentence, doubt));
        }
    }
    if let Some((sentence, doubt)) = first {
        say_doubts(count, all, sentence, &doubt);
    }
    Ok(())
}

/// Says that `count` of `all` prompts lose something, and what the first of them loses.
pub(crate) fn say_doubts(count: usize, all: usize, first: &str, doubt: &TextDoubt) {
    say(&format!("warning: {count} of {all} prompts may not mean what they say, such as `{first}`: {doubt}"));
}
