//! What a fitted checkpoint does, for people.

use super::{Finetuned, TooFewFilms, TunedPrompts, Tuning, TuningShare};
use crate::evaluator::interval_words;
use crate::probe::fitted_on;
use crate::sheet::{Measured, Sheet, add_figures};

impl Tuning {
    /// The figures; `how` says what was fitted.
    fn sheet(&self, how: &str) -> Sheet {
        let Self { model, images, patients, resamples, seed, .. } = self;
        let head = format!("{model}: {images} images of {patients} patients, {how}");
        let mut sheet = Sheet::new(format!("{head}; {}.", interval_words(*resamples, *seed)));
        for share in &self.shares {
            let TuningShare { fraction, fitted_images, fitted_patients, not_fitted, losses, figures } = share;
            sheet.add(fitted_on(*fitted_images, *fitted_patients, *fraction));
            add_figures(&mut sheet, figures, ["AUROC (95 % CI)", "average precision (95 % CI)"], None);
            let losses: Vec<String> = losses.iter().map(|loss| format!("{loss:.3}")).collect();
            let without = not_fitted.iter().map(|TooFewFilms { name, positives, negatives }| {
                format!("{name} left out: {positives} present, {negatives} absent.")
            });
            sheet.add_lines([format!("Loss by epoch: {}.", losses.join(", "))].into_iter().chain(without));
        }
        sheet.add_lines(self.saved_difference.map(|difference| {
            format!("Saved; largest difference from the scores evaluated {difference:.1e}.")
        }));
        sheet
    }

    const fn all_failed(&self) -> usize {
        self.failed + self.failed_to_fit
    }
}

impl Measured for Finetuned {
    fn sheet(&self) -> Sheet {
        self.tuning.sheet("image tower fine-tuned")
    }

    fn failed(&self) -> usize {
        self.tuning.all_failed()
    }
}

impl Measured for TunedPrompts {
    fn sheet(&self) -> Sheet {
        self.tuning.sheet("prompts behind learned context")
    }

    fn failed(&self) -> usize {
        self.tuning.all_failed()
    }
}
