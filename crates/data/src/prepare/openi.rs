//! Open-I, the chest radiographs of Indiana University.
//!
//! Every report is an XML file of its own with its images (`parentImage`) and headings that two people coded from the whole report
//! (`MeSH/major`). The codes are complete, so a finding that is not coded is absent; a report that was not coded has 14 blanks.
//! Codes that no finding stands for are counted. Texts are FINDINGS and IMPRESSION; words that identified somebody are `XXXX`.
//! Each report is its own patient. The XML files do not say which image is lateral: views are blank, unless Kaggle's
//! `indiana_projections.csv` is there.
//!
//! Source: Demner-Fushman et al., JAMIA 2016, <https://doi.org/10.1093/jamia/ocv080>; <https://openi.nlm.nih.gov/faq#collection>. License:
//! CC BY-NC-ND 4.0.

use std::collections::BTreeMap;

use medclip_core::Finding;

use super::error::PrepareError;
use super::gather::{Found, Gather, whole};
use super::listed::annotate;
use super::options::UnlistedAs;
use super::prepared::LeftOutReason;
use super::tree::{Tree, join};
use crate::columns::{Column, Kind};

mod codes;
mod report;

use report::ReportText;

/// Where the reports may be.
const REPORTS: [&str; 4] = ["ecgen-radiology", "NLMCXR_reports/ecgen-radiology", "NLMCXR_reports", "reports"];

/// Where the images may be: `NLMCXR_png.tgz` has no folder of its own.
const IMAGES: [&str; 4] = ["", "NLMCXR_png", "images", "png"];

pub(super) fn read(tree: &Tree, gather: &mut Gather<'_>) -> Result<(), PrepareError> {
    let folder = tree.need_folder(&REPORTS)?;
    let views = views(tree)?;
    let mut files = tree.list(folder)?.unwrap_or_default();
    files.retain(|name| name.rsplit_once('.').is_some_and(|(_, end)| end == "xml"));
    // `2.xml` before `10.xml`.
    files.sort_by_key(|name| (name.len(), name.clone()));
    if files.is_empty() {
        return Err(tree.missing(vec![join(folder, "1.xml")]));
    }
    let mut first: BTreeMap<String, String> = BTreeMap::new();
    for file in files {
        let file = join(folder, &file);
        let report = ReportText::parse(&tree.text(&file)?).map_err(|error| tree.unreadable(&file, error))?;
        if let Some(other) = first.insert(report.id.clone(), file.clone()) {
            return Err(PrepareError::Twice { what: report.id, first: whole(&other), second: whole(&file) });
        }
        if report.images.is_empty() {
            gather.leave_out(LeftOutReason::NoImages);
            continue;
        }
        add(&report, &file, &views, gather)?;
    }
    Ok(())
}

fn add(
    report: &ReportText,
    file: &str,
    views: &BTreeMap<String, &'static str>,
    gather: &mut Gather<'_>,
) -> Result<(), PrepareError> {
    let mut present = Vec::new();
    for code in &report.codes {
        match codes::findings(code) {
            [] => gather.unmapped(code),
            findings => present.extend_from_slice(findings),
        }
    }
    // Without codes, nothing was looked for.
    let covered: &[Finding] = if report.is_coded() { &Finding::ALL } else { &[] };
    let annotations = annotate(&present, covered, gather.unlisted(UnlistedAs::Absent));
    for image in &report.images {
        gather.add(Found {
            origin: whole(file),
            images: IMAGES.iter().map(|folder| join(folder, &format!("{image}.png"))).collect(),
            split: None,
            patient: format!("iu:{}", report.id),
            view: views.get(&key(image)).copied().unwrap_or_default().to_owned(),
            annotations,
            labels: report.codes.join("|"),
            text: report.text(),
        })?;
    }
    Ok(())
}

/// Views of Kaggle's copy by [`key`]; none where it is not there.
fn views(tree: &Tree) -> Result<BTreeMap<String, &'static str>, PrepareError> {
    let mut views = BTreeMap::new();
    if let Some(file) = tree.find(&[""], &["indiana_projections.csv"]) {
        let columns = ["filename", "projection"].map(|name| Column::required(name, Kind::Name));
        tree.rows(&file, &columns, |line| {
            let view = match line.cell(1) {
                "Frontal" => "Frontal",
                "Lateral" => "Lateral",
                _ => return Err(line.wrong(1, "Frontal or Lateral")),
            };
            views.insert(key(line.name(0)?), view);
            Ok(())
        })?;
    }
    Ok(views)
}

/// What an image is called in the XML files and in Kaggle's copy: report and number of the image.
///
/// `CXR10_IM-0002-1001` is `10_IM-0002-1001.dcm.png` there, but `CXR1_1_IM-0001-4001` is `1_IM-0001-4001.dcm.png`.
fn key(name: &str) -> String {
    let name = name.strip_prefix("CXR").unwrap_or(name);
    let name = name.split('.').next().unwrap_or_default();
    let (report, rest) = name.split_once('_').unwrap_or((name, ""));
    let number = rest.rsplit_once('_').map_or(rest, |(_, number)| number);
    format!("{report}_{number}")
}
