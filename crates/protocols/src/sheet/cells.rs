//! Figures as the cells of a table, and the notes below it.

use medclip_stats::{Interval, NoInterval};

use crate::headline::LeftOut;
use crate::members::Figure;

/// A figure with an interval.
pub(crate) trait Valued {
    /// The figure in a cell.
    fn shown(&self) -> String;

    /// Its interval.
    fn interval(&self) -> &Interval;
}

impl Valued for Interval {
    /// `0.809 (0.763–0.847)`, or `0.809 (–)` without an interval.
    fn shown(&self) -> String {
        format!("{:.3} ({})", self.estimate, ends(self, 3))
    }

    fn interval(&self) -> &Interval {
        self
    }
}

impl Valued for Figure {
    /// `0.809 ± 0.012 (0.763–0.847)`: mean, deviation over members where there are several, interval of the mean.
    fn shown(&self) -> String {
        let mean = &self.averaged.interval;
        match self.averaged.deviation() {
            Some(deviation) => format!("{:.3} ± {deviation:.3} ({})", mean.estimate, ends(mean, 3)),
            None => mean.shown(),
        }
    }

    fn interval(&self) -> &Interval {
        &self.averaged.interval
    }
}

/// The figure, or a dash where the films do not define it.
pub(crate) fn cell(figure: Option<&impl Valued>) -> String {
    figure.map_or_else(|| "–".to_owned(), Valued::shown)
}

/// `0.763–0.847`, or a dash.
pub(crate) fn ends(interval: &Interval, decimals: usize) -> String {
    let ends = interval.ends();
    ends.map_or_else(|| "–".to_owned(), |(low, high)| format!("{low:.decimals$}–{high:.decimals$}"))
}

/// `0.809`, or a dash for none.
pub(crate) fn decimals(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"))
}

/// `0.800 ± 0.141`: mean and, from two values on, standard deviation.
#[cfg(feature = "train")]
pub(crate) fn spread(spread: crate::runs::Spread) -> String {
    match (spread.mean, spread.deviation) {
        (Some(mean), Some(deviation)) => format!("{mean:.3} ± {deviation:.3}"),
        (mean, _) => decimals(mean),
    }
}

/// Why some of the named figures have no interval: a line below their table, or none.
pub(crate) fn no_interval_note<'a, V: Valued + 'a>(
    figures: impl IntoIterator<Item = (&'a str, Option<&'a V>)>,
) -> Option<String> {
    let mut resting: Vec<&str> = Vec::new();
    for (name, figure) in figures {
        match figure.and_then(|figure| figure.interval().no_interval) {
            Some(NoInterval::OnePatient) => {
                return Some("(–): no interval, as all films are of one patient.".to_owned());
            }
            Some(_) if !resting.contains(&name) => resting.push(name),
            _ => {}
        }
    }
    (!resting.is_empty()).then(|| {
        format!(
            "(–): no interval for {}: without the films of one patient there is no figure at all.",
            resting.join(", ")
        )
    })
}

/// Which of the headline findings a mean leaves out, and why: a line below its table, or none.
pub(crate) fn left_out_note(left_out: &[LeftOut]) -> Option<String> {
    let each = left_out.iter().map(|LeftOut { name, why }| format!("{name} ({})", why.words()));
    let each: Vec<String> = each.collect();
    (!each.is_empty()).then(|| format!("Left out of the mean: {}.", each.join(", ")))
}

#[cfg(test)]
mod tests {
    use medclip_stats::bootstrap_ci;

    use super::*;
    use crate::headline::Why;

    #[test]
    fn a_figure_that_one_patient_decides_has_a_dash_and_a_note() {
        let of = |patients: &[u8]| {
            bootstrap_ci(patients, |rows| rows.contains(&0).then_some(0.5), 50, 0.95, 1).unwrap()
        };
        let (one, rests) = (of(&[1, 1]), of(&[1, 2, 3]));
        assert_eq!((cell(Some(&one)), cell(Some(&rests))), ("0.500 (–)".into(), "0.500 (–)".into()));
        assert_eq!(cell(None::<&Interval>), "–");
        let note = no_interval_note([("Edema", Some(&rests)), ("Fracture", None), ("Edema", Some(&rests))]);
        assert_eq!(
            note.as_deref(),
            Some("(–): no interval for Edema: without the films of one patient there is no figure at all.")
        );
        assert!(no_interval_note([("Edema", Some(&one))]).is_some_and(|note| note.contains("one patient")));
        let sound = bootstrap_ci(&[1, 2], |_| Some(0.5), 50, 0.95, 1).unwrap();
        assert_eq!(no_interval_note([("Edema", Some(&sound)), ("Fracture", None)]), None);
        assert_eq!(cell(Some(&sound)), "0.500 (0.500–0.500)");
    }

    #[test]
    fn what_a_mean_leaves_out_is_named_with_its_reason() {
        let found = [("Cardiomegaly", Why::NoFigure), ("Edema", Why::NoPositives)]
            .map(|(name, why)| LeftOut { name, why });
        let expected =
            "Left out of the mean: Cardiomegaly (a score is not a number), Edema (no film has it).";
        assert_eq!(left_out_note(&found).as_deref(), Some(expected));
        assert_eq!(left_out_note(&[]), None);
    }
}
