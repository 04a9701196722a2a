//! Who attends to whom.

/// How rows are shared out: `groups` of `tokens` each attend among themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Groups {
    /// Sentences or windows.
    pub groups: usize,
    /// Tokens of each.
    pub tokens: usize,
    /// Heads that attend side by side.
    pub heads: usize,
}

/// What is added to scaled scores beside a trained bias.
#[derive(Debug, Clone, PartialEq)]
pub enum AttentionMask {
    /// Nothing.
    None,
    /// A value for every key, `[groups, tokens]`.
    Keys(Vec<f32>),
    /// A value for every query and key, `[period, tokens, tokens]`; group g takes block g modulo the period.
    Pairs(Vec<f32>),
}

impl AttentionMask {
    /// The score of a masked key, whose weight is then below 10⁻³⁷.
    const LEFT_OUT: f32 = -1e4;

    /// Leaves out the keys whose mask is 0.
    pub fn keys(mask: &[i64]) -> Self {
        if mask.iter().all(|m| *m != 0) {
            return Self::None;
        }
        Self::Keys(mask.iter().map(|m| if *m == 0 { Self::LEFT_OUT } else { 0.0 }).collect())
    }
}
