//! Labeler against human labels of Open-I reports, as a Markdown table.
//!
//! ```text
//! cargo run --release -p medclip-labeler --example evaluate -- REPORTS.csv --split val
//! ```
//!
//! `REPORTS.csv` has the columns `id`, `split`, `text` and `gold_*` (or `mesh_*`), `1` present, `0` absent, empty not annotated.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};
use medclip_core::{Certainty, Finding};
use medclip_labeler::{Labeler, sentences};

#[derive(Parser)]
struct Arguments {
    /// The reports with their labels.
    reports: PathBuf,
    /// Rows to read: the value of their `split` column.
    #[arg(long, default_value = "val")]
    split: String,
    /// Which human labels to compare with.
    #[arg(long, value_enum, default_value_t = Reference::Gold)]
    reference: Reference,
    /// Count an uncertain finding as present.
    #[arg(long)]
    uncertain_positive: bool,
    /// Fewest positives a finding needs to enter the micro-F1.
    #[arg(long, default_value_t = 20)]
    minimum: usize,
    /// List this many disagreements of each finding.
    #[arg(long, default_value_t = 0)]
    errors: usize,
    /// List disagreements of this finding only.
    #[arg(long)]
    only: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Reference {
    /// `gold_*`: `NegBio`'s 14 findings.
    Gold,
    /// The same columns, against whole findings only: no finer terms, devices allowed in "No Finding".
    GoldPlain,
    /// `mesh_*`: CheXpert's 14 findings, mapped from the reports' `MeSH` codes.
    Mesh,
}

/// What answers a reference label: a finding, or families of terms where the reference is finer.
enum Answer {
    Finding(Finding),
    /// `MeSH` codes a report "normal" only without devices, which CheXpert's "No Finding" admits.
    NoFindingNoDevice,
    Families(&'static [&'static str]),
}

struct Row {
    name: String,
    /// Present when any of these columns is.
    columns: Vec<String>,
    answer: Answer,
}

#[derive(Default)]
struct Counts {
    true_positive: usize,
    false_positive: usize,
    false_negative: usize,
}

impl Reference {
    fn rows(self) -> Vec<Row> {
        match self {
            Self::Gold => gold_rows(),
            Self::GoldPlain => gold_rows().into_iter().filter_map(Row::plain).collect(),
            Self::Mesh => Finding::ALL.into_iter().map(mesh_row).collect(),
        }
    }
}

fn mesh_row(finding: Finding) -> Row {
    let columns = vec![format!("mesh_{finding}")];
    if finding == Finding::NoFinding {
        return Row { name: NO_FINDING_NO_DEVICE.to_owned(), columns, answer: Answer::NoFindingNoDevice };
    }
    Row { name: finding.to_string(), columns, answer: Answer::Finding(finding) }
}

const NO_FINDING_NO_DEVICE: &str = "No Finding, no device";

fn gold_rows() -> Vec<Row> {
    use Answer::{Families, Finding as Of};
    let row = |name: &str, columns: &[&str], answer| Row {
        name: name.to_owned(),
        columns: columns.iter().map(|column| format!("gold_{column}")).collect(),
        answer,
    };
    vec![
        row(NO_FINDING_NO_DEVICE, &["normal"], Answer::NoFindingNoDevice),
        row("Cardiomegaly", &["Cardiomegaly"], Of(Finding::Cardiomegaly)),
        row("families: mass, nodule", &["Mass", "Nodule"], Families(&["mass", "nodule"])),
        row("Edema", &["Edema"], Of(Finding::Edema)),
        row("Consolidation", &["Consolidation"], Of(Finding::Consolidation)),
        row("Pneumonia", &["Pneumonia"], Of(Finding::Pneumonia)),
        row("Atelectasis", &["Atelectasis"], Of(Finding::Atelectasis)),
        row("Pneumothorax", &["Pneumothorax"], Of(Finding::Pneumothorax)),
        row("Pleural Effusion", &["Effusion"], Of(Finding::PleuralEffusion)),
        row("family: infiltrate", &["Infiltration"], Families(&["infiltrate"])),
        row("family: pleural thickening", &["Pleural_Thickening"], Families(&["pleural thickening"])),
        row("family: emphysema", &["Emphysema"], Families(&["emphysema"])),
        row("family: fibrosis", &["Fibrosis"], Families(&["fibrosis"])),
    ]
}

impl Row {
    /// The same reference answered by a whole finding, where there is one.
    fn plain(self) -> Option<Self> {
        let finding = match self.answer {
            Answer::Finding(finding) => finding,
            Answer::NoFindingNoDevice => Finding::NoFinding,
            Answer::Families(&["mass", "nodule"]) => Finding::LungLesion,
            Answer::Families(&["pleural thickening"]) => Finding::PleuralOther,
            Answer::Families(_) => return None,
        };
        Some(Self { name: finding.to_string(), answer: Answer::Finding(finding), ..self })
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let rows = arguments.reference.rows();
    let mut counts: Vec<Counts> = rows.iter().map(|_| Counts::default()).collect();
    let mut listed: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let (mut reports, mut empty, mut sentence_count, mut seconds) = (0_usize, 0_usize, 0_usize, 0.0);

    let labeler = Labeler::new();
    let mut reader = csv::Reader::from_path(&arguments.reports)
        .with_context(|| format!("cannot read {}", arguments.reports.display()))?;
    for record in reader.deserialize() {
        let record: BTreeMap<String, String> = record?;
        let value = |column: &str| {
            record
                .get(column)
                .map(String::as_str)
                .with_context(|| format!("the file has no column {column:?}"))
        };
        if value("split")? != arguments.split {
            continue;
        }
        let text = value("text")?;
        if text.trim().is_empty() {
            empty += 1;
            continue;
        }
        let start = Instant::now();
        let read = labeler.report(text);
        seconds += start.elapsed().as_secs_f64();
        sentence_count += read.sentences.len();
        reports += 1;

        for (index, row) in rows.iter().enumerate() {
            let marks = row.columns.iter().map(|column| value(column)).collect::<Result<Vec<_>>>()?;
            if marks.iter().all(|mark| mark.is_empty()) {
                continue;
            }
            let certainty = match row.answer {
                Answer::Finding(finding) => read.labels[finding],
                Answer::NoFindingNoDevice if read.labels[Finding::SupportDevices] == Certainty::Positive => {
                    Certainty::Negative
                }
                Answer::NoFindingNoDevice => read.labels[Finding::NoFinding],
                Answer::Families(families) => surest(&labeler, text, families),
            };
            let said = match certainty {
                Certainty::Positive => true,
                Certainty::Uncertain => arguments.uncertain_positive,
                _ => false,
            };
            let is = marks.contains(&"1");
            let kind = match (is, said) {
                (true, true) => {
                    counts[index].true_positive += 1;
                    continue;
                }
                (false, true) => {
                    counts[index].false_positive += 1;
                    "FP"
                }
                (true, false) => {
                    counts[index].false_negative += 1;
                    "FN"
                }
                (false, false) => continue,
            };
            let wanted = arguments.only.as_ref().is_none_or(|only| *only == row.name);
            let list = listed.entry(index).or_default();
            if wanted && list.len() < arguments.errors {
                let codes = record.get("mesh_major").map_or("", String::as_str);
                list.push(format!(
                    "{kind} {} {} {certainty:?} [{codes}]\n    {text}",
                    row.name,
                    value("id")?
                ));
            }
        }
    }
    if reports == 0 {
        bail!("no report of split {:?}", arguments.split);
    }

    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{reports} reports ({empty} more without text left out), {sentence_count} sentences, {:.0} sentences/s\n",
        sentence_count as f64 / seconds
    )?;
    writeln!(out, "| finding | positives | precision | recall | F1 | TP | FP | FN |")?;
    writeln!(out, "|---|---|---|---|---|---|---|---|")?;
    for (row, count) in rows.iter().zip(&counts) {
        writeln!(out, "{}", count.line(&row.name))?;
    }
    let every: Vec<&Counts> = counts.iter().collect();
    let frequent: Vec<&Counts> =
        every.iter().copied().filter(|count| count.positives() >= arguments.minimum).collect();
    let name = format!("**micro, findings with ≥ {} positives**", arguments.minimum);
    writeln!(out, "{}", Counts::sum(&frequent).line(&name))?;
    writeln!(out, "{}", Counts::sum(&every).line("**micro, all rows**"))?;
    for line in listed.values().flatten() {
        writeln!(out, "\n{line}")?;
    }
    Ok(())
}

/// The surest mention of some families in a report.
fn surest(labeler: &Labeler, text: &str, families: &[&str]) -> Certainty {
    let mentions = sentences(text).into_iter().flat_map(|sentence| labeler.mentions(sentence));
    let found: Vec<Certainty> = mentions
        .filter(|mention| families.contains(&mention.family))
        .map(|mention| mention.certainty)
        .collect();
    [Certainty::Positive, Certainty::Uncertain, Certainty::Negative]
        .into_iter()
        .find(|certainty| found.contains(certainty))
        .unwrap_or_default()
}

impl Counts {
    fn positives(&self) -> usize {
        self.true_positive + self.false_negative
    }

    fn sum(counts: &[&Self]) -> Self {
        Self {
            true_positive: counts.iter().map(|count| count.true_positive).sum(),
            false_positive: counts.iter().map(|count| count.false_positive).sum(),
            false_negative: counts.iter().map(|count| count.false_negative).sum(),
        }
    }

    fn line(&self, name: &str) -> String {
        let ratio = |part: usize, whole: usize| {
            if whole == 0 { "–".to_owned() } else { format!("{:.3}", part as f64 / whole as f64) }
        };
        let (tp, fp, fneg) = (self.true_positive, self.false_positive, self.false_negative);
        format!(
            "| {name} | {} | {} | {} | {} | {tp} | {fp} | {fneg} |",
            self.positives(),
            ratio(tp, tp + fp),
            ratio(tp, tp + fneg),
            ratio(2 * tp, 2 * tp + fp + fneg),
        )
    }
}
