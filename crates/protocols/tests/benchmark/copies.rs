//! Small copies of the benchmarks' data sets.

use std::fmt::Write as _;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use medclip_core::Finding;
use medclip_data::{DataSet, PrepareOptions, UncertainAs, prepare};
use medclip_phantom::{Condition, Phantom, PhantomSpec, Severity, Side, write_png};
use medclip_protocols::{Evaluator, FilmSet};
use medclip_runtime::Model;
use medclip_tests::tiny_bundle;
use tempfile::TempDir;

/// A data set's directory, a manifest of it, and a model.
pub(crate) struct Copy {
    directory: TempDir,
    films: u64,
}

impl Copy {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), films: 0 }
    }

    pub(crate) fn at(&self) -> &Path {
        self.directory.path()
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.at().join("set").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Draws a film: no two are alike.
    fn film(&mut self, file: &str) {
        self.films += 1;
        let effusion = Condition::PleuralEffusion { side: Side::Left, severity: Severity::Severe };
        let conditions = if self.films.is_multiple_of(2) { vec![effusion] } else { Vec::new() };
        let phantom = Phantom::new(PhantomSpec { seed: self.films, size: 48, conditions }).unwrap();
        let path = self.at().join("set").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        write_png(&phantom.render(), &path).unwrap();
    }

    pub(crate) fn evaluator(&self, data_set: DataSet) -> Evaluator {
        let options = PrepareOptions { uncertain: UncertainAs::Uncertain, ..PrepareOptions::default() };
        let manifest = self.at().join("manifest.csv");
        prepare(data_set, &self.at().join("set"), &options).unwrap().save(&manifest).unwrap();
        let films = FilmSet::open(manifest).unwrap().with_root(self.at().join("set"));
        let model = Model::open(tiny_bundle(&self.at().join("model"))).unwrap();
        Evaluator::new(model, films, NonZeroUsize::new(2).unwrap())
    }
}

/// A table of the 14 findings: CheXpert's and MIMIC-CXR-JPG's rows, with the values of the findings that are not blank.
fn cells(said: &[(Finding, &str)]) -> String {
    let value =
        |finding: &Finding| said.iter().find(|(other, _)| other == finding).map_or("", |(_, value)| value);
    Finding::ALL.iter().map(value).collect::<Vec<_>>().join(",")
}

pub(crate) const FIVE: [Finding; 5] = [
    Finding::Atelectasis,
    Finding::Cardiomegaly,
    Finding::Consolidation,
    Finding::Edema,
    Finding::PleuralEffusion,
];

/// Films of every kind, by what is said of them: three of each class alone, and others that are of none.
pub(crate) fn films_of_five() -> Vec<(String, &'static str, bool)> {
    let mut films = Vec::new();
    for finding in FIVE {
        films.extend([
            (cells(&[(finding, "1.0")]), "PA", true),
            (cells(&[(finding, "1.0"), (Finding::Fracture, "0.0")]), "AP", true),
            (cells(&[(finding, "1.0"), (Finding::NoFinding, "0.0")]), "PA", true),
            (cells(&[(finding, "1.0")]), "LATERAL", false),
            (cells(&[(finding, "1.0"), (Finding::LungOpacity, "1.0")]), "PA", false),
            (cells(&[(finding, "1.0"), (Finding::Pneumonia, "-1.0")]), "PA", false),
            (cells(&[(finding, "-1.0")]), "PA", false),
        ]);
    }
    films.push((cells(&[(Finding::Pneumothorax, "1.0")]), "PA", false));
    films.push((cells(&[(Finding::Edema, "1.0"), (Finding::Cardiomegaly, "1.0")]), "PA", false));
    films
}

pub(crate) fn chexpert() -> Copy {
    let mut copy = Copy::new();
    let header = format!("Path,Frontal/Lateral,AP/PA,{}\n", Finding::ALL.map(Finding::name).join(","));
    let mut train = header.clone();
    for (number, (cells, view, _)) in films_of_five().iter().enumerate() {
        let path = format!("train/patient{number:05}/study1/view1_frontal.png");
        let (side, view) = if *view == "LATERAL" { ("Lateral", "") } else { ("Frontal", *view) };
        writeln!(train, "{path},{side},{view},{cells}").unwrap();
        copy.film(&path);
    }
    copy.write("train.csv", &train);
    copy.write("valid.csv", &header);
    copy
}

pub(crate) fn mimic() -> Copy {
    let mut copy = Copy::new();
    let mut metadata = "dicom_id,subject_id,study_id,ViewPosition\n".to_owned();
    let mut split = "dicom_id,split\n".to_owned();
    let mut labels = format!("study_id,{}\n", Finding::ALL.map(Finding::name).join(","));
    for (number, (cells, view, _)) in films_of_five().iter().enumerate() {
        let (subject, study) = (10_000_000 + number, 50_000_000 + number);
        writeln!(metadata, "film-{number},{subject},{study},{view}").unwrap();
        writeln!(split, "film-{number},{}", if number % 2 == 0 { "train" } else { "test" }).unwrap();
        writeln!(labels, "{study},{cells}").unwrap();
        copy.film(&format!("files/p10/p{subject}/s{study}/film-{number}.jpg"));
    }
    copy.write("mimic-cxr-2.0.0-metadata.csv", &metadata);
    copy.write("mimic-cxr-2.0.0-split.csv", &split);
    copy.write("mimic-cxr-2.0.0-chexpert.csv", &labels);
    copy
}

pub(crate) fn rsna() -> Copy {
    let mut copy = Copy::new();
    let (mut classes, mut targets) = ("patientId,class\n".to_owned(), "patientId,Target\n".to_owned());
    for number in 0..12 {
        let (class, target) = match number % 4 {
            0 | 1 => ("Lung Opacity", 1),
            2 => ("Normal", 0),
            _ => ("No Lung Opacity / Not Normal", 0),
        };
        writeln!(classes, "film{number},{class}").unwrap();
        writeln!(targets, "film{number},{target}").unwrap();
        copy.film(&format!("stage_2_train_images/film{number}.png"));
    }
    copy.write("stage_2_detailed_class_info.csv", &classes);
    copy.write("stage_2_train_labels.csv", &targets);
    copy
}

pub(crate) fn covid() -> Copy {
    let mut copy = Copy::new();
    for class in ["COVID", "Lung_Opacity", "Normal", "Viral Pneumonia"] {
        for number in 1..=6 {
            copy.film(&format!("{class}/images/{class}-{number}.png"));
        }
    }
    copy
}
