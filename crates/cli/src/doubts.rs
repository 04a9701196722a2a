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
        if let Some(doubt) = doubts(sentence).context("cannot tokenize the prompts")?.first() {
            count += 1;
            first.get_or_insert_with(|| format!("`{sentence}`: {doubt}"));
        }
    }
    if let Some(first) = first {
        say(&format!("warning: {count} of {all} prompts may not mean what they say, such as {first}"));
    }
    Ok(())
}
