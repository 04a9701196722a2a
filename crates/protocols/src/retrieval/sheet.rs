//! What films find, for people.

use medclip_stats::Interval;

use super::{ClassPrecision, ClassRetrieval, OwnReports, Pool, PrecisionAt, RecallAt, Retrieval};
use crate::sheet::{Measured, Sheet, Table, Valued as _, cell, ends, no_interval_note};

impl Measured for Retrieval {
    fn sheet(&self) -> Sheet {
        let mut sheet = Sheet::new(self.subject.words("retrieval over ", ""));
        add_classes(&mut sheet, &self.sentences);
        match &self.own_report {
            Some(own) => add_own(&mut sheet, own),
            None => sheet.add("No image has a report, so there is no own report to find."),
        }
        sheet
    }

    fn failed(&self) -> usize {
        self.subject.failed
    }
}

/// A row a class, and the mean.
fn add_classes(sheet: &mut Sheet, found: &ClassRetrieval) {
    let ClassRetrieval { pool, queries, sentences_per_class, chance, classes, left_out, mean } = found;
    let origin = match pool {
        Pool::Reports => "sentences of the chosen images' reports",
        Pool::Prompts => "positive prompts of the bundle",
    };
    sheet.add(format!(
        "Image → sentence of its class: {queries} images with exactly one of the classes;\n{} candidates, \
         {sentences_per_class} a class, {origin}; chance {chance:.3}.",
        sentences_per_class * classes.len()
    ));
    let depths = mean.iter().map(|at| format!("P@{}", at.k));
    let header = ["class", "images", "sentences found"].map(str::to_owned).into_iter().chain(depths);
    let mut table = Table::new(header, 1);
    let cells = |precision: &[PrecisionAt]| {
        precision.iter().map(|at| cell(at.precision.as_ref())).collect::<Vec<_>>()
    };
    for ClassPrecision { name, queries, sentences_found, precision } in classes {
        let counts = [(*name).to_owned(), queries.to_string(), sentences_found.to_string()];
        table.row(counts.into_iter().chain(cells(precision)));
    }
    let name = ["mean of classes".to_owned(), String::new(), String::new()];
    table.bold_row(name.into_iter().chain(cells(mean)));
    sheet.add_table(&table);
    if !left_out.is_empty() {
        let texts: Vec<String> = left_out.iter().map(ToString::to_string).collect();
        sheet.add(format!("Left out, for want of images or sentences: {}.", texts.join("; ")));
    }
    let each = classes.iter().map(|class| (class.name, &class.precision)).chain([("the mean", mean)]);
    let figures =
        each.flat_map(|(name, precision)| precision.iter().map(move |at| (name, at.precision.as_ref())));
    sheet.add_lines(no_interval_note(figures));
}

/// Recall at every depth, and the median rank.
fn add_own(sheet: &mut Sheet, found: &OwnReports) {
    let OwnReports { queries, candidates, illegible, recall, median_rank } = found;
    sheet.add(format!(
        "Image → its own report: {queries} images, {candidates} distinct reports of theirs,\n\
         {illegible} images left out whose report has no legible sentence."
    ));
    let mut table = Table::new(["", "value (95 % CI)", "chance"], 1);
    for RecallAt { k, chance, recall } in recall {
        table.row([format!("R@{k}"), recall.shown(), format!("{chance:.3}")]);
    }
    let (estimate, ends) = (median_rank.estimate, ends(median_rank, 1));
    let chance = f64::midpoint(*candidates as f64, 1.0);
    table.row(["median rank".to_owned(), format!("{estimate:.1} ({ends})"), format!("{chance:.1}")]);
    sheet.add_table(&table);
    sheet.add_lines(no_interval_note::<Interval>([("the median rank", Some(median_rank))]));
}
