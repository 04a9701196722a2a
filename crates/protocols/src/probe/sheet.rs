//! What linear classifiers do, for people.

use super::{ChosenC, NotFitted, Probe, ProbeShare};
use crate::charts::Chart;
use crate::sheet::{Measured, Sheet, add_figures};

impl Measured for Probe {
    fn sheet(&self) -> Sheet {
        let mut sheet = Sheet::new(self.subject.words("", ", linear probe"));
        for share in &self.shares {
            let ProbeShare { fraction, fitted_images, fitted_patients, regularisation, not_fitted, figures } =
                share;
            sheet.add(fitted_on(*fitted_images, *fitted_patients, *fraction));
            add_figures(&mut sheet, figures, ["AUROC (95 % CI)", "average precision (95 % CI)"], None);
            let chosen: Vec<String> =
                regularisation.iter().map(|ChosenC { name, c }| format!("{name} {c:e}")).collect();
            let without = not_fitted
                .iter()
                .map(|NotFitted { name, reason }| format!("No classifier of {name}: {reason}."));
            sheet.add_lines([format!("C: {}.", chosen.join(", "))].into_iter().chain(without));
        }
        sheet
    }

    fn failed(&self) -> usize {
        self.subject.failed + self.failed_to_fit
    }

    fn charts(&self) -> &[Chart] {
        &self.charts
    }
}

/// What one share's fit had to learn from.
pub(crate) fn fitted_on(images: usize, patients: usize, share: f64) -> String {
    format!("Fitted on {images} images of {patients} patients (share {share}):")
}
