//! A positive and a negative prompt of every finding, with room for vectors in front of the words.

use candle_core::{Result, Tensor, bail};
use medclip_core::prompt::PromptSet;
use medclip_core::{Finding, Tokenizer};
use medclip_nn::MedClip;

use super::ContextConfig;
use crate::error::TrainError;

/// What a finding's two prompts say after the context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassTexts {
    /// The finding.
    pub finding: Finding,
    /// What is said when it is there.
    pub positive: String,
    /// What is said when it is not.
    pub negative: String,
}

impl ClassTexts {
    /// The first positive and the first negative sentence of each finding's class; its name and `no NAME`, both in lower
    /// case, where `prompts` has no such class.
    pub fn of(findings: &[Finding], prompts: Option<&PromptSet>) -> Vec<Self> {
        // Without the ensemble's draw the sentences are in the order of the file.
        let whole = prompts.map(|prompts| PromptSet { ensemble: None, ..prompts.clone() });
        let classes = whole.map(|prompts| prompts.expand()).unwrap_or_default();
        let texts = |finding: &Finding| {
            let class = classes.iter().find(|class| class.name == finding.name());
            let sentences = class
                .and_then(|class| Some((class.positive.first()?.clone(), class.negative.first()?.clone())));
            let name = finding.name().to_lowercase();
            let (positive, negative) = sentences.unwrap_or_else(|| (name.clone(), format!("no {name}")));
            Self { finding: *finding, positive, negative }
        };
        findings.iter().map(texts).collect()
    }
}

/// The prompts of some findings as word embeddings, waiting for their context.
pub struct ContextPrompts {
    findings: usize,
    vectors: usize,
    /// `[CLS]`, `[2 · findings, 1, width]`; all positive prompts, then all negative ones.
    start: Tensor,
    /// Words, `[SEP]` and padding, `[2 · findings, rest, width]`.
    rest: Tensor,
    /// `[2 · findings · (1 + vectors + rest)]`.
    mask: Vec<i64>,
}

impl ContextPrompts {
    /// The prompts of `texts` with room for as many vectors as `config` says, between `[CLS]` and the words.
    ///
    /// # Errors
    /// [`TrainError::Setting`] when a prompt with its context is longer than the text tower takes;
    /// [`TrainError::Tokenize`] when one cannot be tokenized.
    pub fn new(
        model: &MedClip,
        tokenizer: &Tokenizer,
        texts: &[ClassTexts],
        config: &ContextConfig,
    ) -> std::result::Result<Self, TrainError> {
        let positive = texts.iter().map(|text| text.positive.as_str());
        let sentences: Vec<&str> = positive.chain(texts.iter().map(|text| text.negative.as_str())).collect();
        let tokens = tokenizer.batch(&sentences)?;
        let [_, sequence] = tokens.shape();
        let (vectors, limit) = (config.vectors, model.text().max_tokens());
        if sequence + vectors > limit {
            let reason = format!(
                "{vectors} and a prompt of {sequence} tokens are more than the {limit} of the text tower"
            );
            return Err(TrainError::Setting { field: "vectors", reason });
        }
        let words = model.text().words(&tokens)?;
        let mask = tokens.mask().chunks(sequence).flat_map(|mask| {
            let (start, rest) = mask.split_at(1);
            start.iter().copied().chain(std::iter::repeat_n(1, vectors)).chain(rest.iter().copied())
        });
        Ok(Self {
            findings: texts.len(),
            vectors,
            start: words.narrow(1, 0, 1)?.contiguous()?,
            rest: words.narrow(1, 1, sequence - 1)?.contiguous()?,
            mask: mask.collect(),
        })
    }

    /// Sizes of the context: `[1 or findings, vectors, width]`.
    pub(super) fn context_shape(&self, config: &ContextConfig) -> Vec<usize> {
        let width = self.start.dims().last().copied().unwrap_or_default();
        vec![if config.per_finding { self.findings } else { 1 }, self.vectors, width]
    }

    /// Positive minus negative prompt of every finding, both unit-norm.
    ///
    /// # Shapes
    /// - `context`: `[1, vectors, width]` for all findings, or `[findings, vectors, width]`
    /// - returns: `[findings, embedding_dim]`
    /// # Errors
    /// When the context is of another shape.
    pub fn directions(&self, model: &MedClip, context: &Tensor) -> Result<Tensor> {
        let (sets, vectors, width) = context.dims3()?;
        if vectors != self.vectors || ![1, self.findings].contains(&sets) {
            bail!(
                "a context of {:?} for {} findings and {} vectors",
                context.dims(),
                self.findings,
                self.vectors
            );
        }
        let context = context.broadcast_as((self.findings, vectors, width))?.contiguous()?;
        let context = Tensor::cat(&[&context, &context], 0)?; // (2·F, M, W)
        let words = Tensor::cat(&[&self.start, &context, &self.rest], 1)?; // (2·F, 1+M+R, W)
        let prompts = model.embed_words(&words, &self.mask)?;
        prompts.narrow(0, 0, self.findings)? - prompts.narrow(0, self.findings, self.findings)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROMPTS: &str = "[ensemble]\ndraws = 1\nseed = 1\n[[class]]\nname = 'Edema'\n\
        positive = { sentences = ['Pulmonary edema.', 'Fluid.'] }\nnegative = { templates = [[['no', 'without'], ['edema']]] }\n";

    #[test]
    fn a_class_gives_its_first_sentences_and_a_name_stands_in() {
        let prompts = PromptSet::parse(PROMPTS).unwrap();
        let texts = |prompts| {
            let texts = ClassTexts::of(&[Finding::Edema, Finding::PleuralEffusion], prompts);
            texts.into_iter().map(|text| [text.positive, text.negative]).collect::<Vec<_>>()
        };
        let effusion = ["pleural effusion", "no pleural effusion"];
        assert_eq!(texts(Some(&prompts)), [["Pulmonary edema.", "no edema"], effusion]);
        assert_eq!(texts(None), [["edema", "no edema"], effusion]);
    }
}
