//! The prompts of a benchmark: those of a file, or those that come with it.

use std::path::Path;

use medclip_core::PromptSet;

use super::error::BenchmarkError;
use super::{Benchmark, BenchmarkOptions};
use crate::evaluator::Evaluator;
use crate::observer::Observer;
use crate::zero_shot::{PromptNote, drawn};

/// The findings, and COVID-19: files of `models/prompts`.
const OWN: [&str; 2] =
    [include_str!("../../data/chest-xray-templates.toml"), include_str!("../../data/covid.toml")];

/// Prompts as embedded, a bank a draw.
pub(super) struct Prompts {
    pub(super) banks: Vec<medclip_core::PromptBank>,
    pub(super) pooling: medclip_core::PromptPooling,
    pub(super) note: PromptNote,
}

/// The classes of a benchmark, in its order.
pub(super) fn read(benchmark: Benchmark, file: Option<&Path>) -> Result<PromptSet, BenchmarkError> {
    let mut found = Vec::new();
    match file {
        Some(path) => {
            let read = PromptSet::open(path);
            let set = read.map_err(|source| BenchmarkError::Prompts { path: path.to_owned(), source })?;
            found.extend(set.classes);
        }
        None => {
            for text in OWN {
                found.extend(PromptSet::parse(text).map_err(BenchmarkError::OwnPrompts)?.classes);
            }
        }
    }
    let names = benchmark.prompt_classes();
    let class_named = |class: &&'static str| {
        found.iter().find(|other| other.name == *class).cloned().ok_or_else(|| BenchmarkError::NoPrompts {
            path: file.map(Path::to_owned).unwrap_or_default(),
            benchmark,
            classes: names,
            class,
        })
    };
    let classes = names.iter().map(class_named).collect::<Result<_, _>>()?;
    Ok(PromptSet { ensemble: None, classes })
}

/// Draws prompts of a set, and embeds them.
pub(super) fn embed(
    set: &PromptSet,
    evaluator: &Evaluator,
    options: &BenchmarkOptions,
    observer: &mut dyn Observer,
) -> Result<Prompts, BenchmarkError> {
    let pooling = options.pooling.unwrap_or(evaluator.model().bundle().config().prompt_pooling);
    let (banks, draws) = drawn(set, options.draws, evaluator, options.resampling.seed, observer)?;
    let note = PromptNote { file: options.prompts.clone(), pooling, draws: Some(draws) };
    Ok(Prompts { banks, pooling, note })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_prompts_are_those_that_ship() {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/prompts");
        let files = ["chest-xray-templates.toml", "covid.toml"];
        assert_eq!(OWN.map(str::to_owned), files.map(|file| fs::read_to_string(shipped.join(file)).unwrap()));
    }

    #[test]
    fn every_class_has_more_sentences_than_the_paper_draws() {
        for benchmark in Benchmark::ALL {
            let set = read(benchmark, None).unwrap();
            let names: Vec<&str> = set.classes.iter().map(|class| class.name.as_str()).collect();
            assert_eq!(names, benchmark.prompt_classes());
            assert!(set.expand().iter().all(|class| class.positive.len() > 10), "{benchmark}");
        }
    }
}
