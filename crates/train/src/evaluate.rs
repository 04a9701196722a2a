//! Zero-shot evaluation: how well prompts alone rank images.

use std::fmt;

use candle_core::Tensor;
use medclip_core::prompt::{ExpandedClass, sentences};
use medclip_core::tokenize::Tokenizer;
use medclip_core::{Finding, FindingScore, PromptBank, PromptPooling};
use medclip_nn::tower::Phase;
use medclip_nn::{MedClip, to_embeddings};
use medclip_stats::auroc;
use serde::{Deserialize, Serialize};

use crate::data::EvalSet;
use crate::error::TrainError;

/// Images embedded together.
const BATCH: usize = 32;

/// AUROC of every class that is a finding with both outcomes in the set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Name of the set.
    pub set: String,
    /// Images in it.
    pub images: usize,
    /// Per finding: name, positives, AUROC.
    pub findings: Vec<FindingAuroc>,
    /// Mean AUROC of the selected findings that have one.
    pub macro_auroc: Option<f64>,
    /// The selected findings that have none: every film has them, or no film does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

impl fmt::Display for Evaluation {
    /// `val macro-AUROC 0.8123, without Fracture`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} macro-AUROC ", self.set)?;
        match self.macro_auroc {
            Some(auroc) => write!(f, "{auroc:.4}")?,
            None => f.write_str("undefined")?,
        }
        if !self.left_out.is_empty() {
            write!(f, ", without {}", self.left_out.join(", "))?;
        }
        Ok(())
    }
}

/// AUROC of one finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FindingAuroc {
    /// The finding.
    pub name: String,
    /// Annotated positives.
    pub positives: usize,
    /// Annotated negatives.
    pub negatives: usize,
    /// Area under the ROC curve; none when either outcome is missing.
    pub auroc: Option<f64>,
}

/// Scores every image of `set` with prompts and ranks them against the annotations.
///
/// # Errors
/// [`TrainError`] when a prompt cannot be tokenized or the towers fail.
pub fn zero_shot(
    model: &MedClip,
    tokenizer: &Tokenizer,
    classes: &[ExpandedClass],
    set: &EvalSet,
    selected: &[String],
) -> Result<Evaluation, TrainError> {
    let scores = scores(model, tokenizer, classes, set)?;
    let mut findings = Vec::new();
    for (column, class) in classes.iter().enumerate() {
        let Some(finding) = Finding::from_name(&class.name) else { continue };
        let (mut values, mut labels) = (Vec::new(), Vec::new());
        for (record, row) in set.records().iter().zip(&scores) {
            if let Some(present) = record.annotations[finding.index()].known() {
                values.push(row[column].logit);
                labels.push(present);
            }
        }
        let positives = labels.iter().filter(|present| **present).count();
        findings.push(FindingAuroc {
            name: class.name.clone(),
            positives,
            negatives: labels.len() - positives,
            auroc: auroc(&values, &labels),
        });
    }
    let is_defined = |name: &String| findings.iter().any(|f| f.name == *name && f.auroc.is_some());
    let left_out = selected.iter().filter(|name| !is_defined(name)).cloned().collect();
    let chosen: Vec<f64> =
        findings.iter().filter(|f| selected.contains(&f.name)).filter_map(|f| f.auroc).collect();
    let macro_auroc = (!chosen.is_empty()).then(|| chosen.iter().sum::<f64>() / chosen.len() as f64);
    Ok(Evaluation { set: set.name().to_owned(), images: set.len(), findings, macro_auroc, left_out })
}

/// One row an image, one score a class.
fn scores(
    model: &MedClip,
    tokenizer: &Tokenizer,
    classes: &[ExpandedClass],
    set: &EvalSet,
) -> Result<Vec<Vec<FindingScore>>, TrainError> {
    let scale = model.logit_scale()?;
    let mut texts = Vec::new();
    for chunk in sentences(classes).chunks(BATCH) {
        texts.push(model.embed_texts(&tokenizer.batch(chunk)?)?);
    }
    let bank = PromptBank::build(classes.to_vec(), to_embeddings(&Tensor::cat(&texts, 0)?)?)?;
    let mut scores = Vec::with_capacity(set.len());
    for start in (0..set.len()).step_by(BATCH) {
        let (pixels, shape) = set.batch(start..start + BATCH)?.into_parts();
        let pixels = Tensor::from_vec(pixels, &shape, model.store().device())?;
        let images = to_embeddings(&model.embed_images(&pixels, Phase::Evaluate)?)?;
        scores.extend(images.iter().map(|image| bank.scores(image, scale, PromptPooling::Mean)));
    }
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_evaluation_says_what_it_could_not_measure() {
        let mut evaluation = Evaluation {
            set: "val".to_owned(),
            images: 10,
            findings: Vec::new(),
            macro_auroc: Some(0.812_34),
            left_out: Vec::new(),
        };
        assert_eq!(evaluation.to_string(), "val macro-AUROC 0.8123");
        evaluation.macro_auroc = None;
        evaluation.left_out = vec!["Fracture".to_owned(), "Edema".to_owned()];
        assert_eq!(evaluation.to_string(), "val macro-AUROC undefined, without Fracture, Edema");
    }
}
