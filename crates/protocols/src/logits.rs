//! Logits of films by prompts.

use medclip_core::{Finding, LogitScale, PromptBank, PromptPooling};

/// The classes of a bank that are findings, in its order.
pub(crate) fn findings(bank: &PromptBank) -> Vec<Finding> {
    bank.classes().iter().filter_map(|class| Finding::from_name(&class.name)).collect()
}

/// Logits of every class of `bank` that is a finding.
///
/// # Shapes
/// - `images`: `[films][dim]`
/// - returns: `[findings][films]`, in the order of [`findings`]
pub(crate) fn logits(
    bank: &PromptBank,
    scale: LogitScale,
    pooling: PromptPooling,
    images: &[Vec<f32>],
) -> Vec<Vec<f32>> {
    let mut columns = vec![Vec::with_capacity(images.len()); findings(bank).len()];
    for image in images {
        let scores = bank.scores(image, scale, pooling);
        let scores = scores.iter().filter(|score| Finding::from_name(&score.name).is_some());
        for (column, score) in columns.iter_mut().zip(scores) {
            column.push(score.logit);
        }
    }
    columns
}
