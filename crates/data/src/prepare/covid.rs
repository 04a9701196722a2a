//! COVID-19 Radiography Database.
//!
//! Four folders are four classes; each has its films in `images`. "Normal" is No Finding without Lung Opacity and Pneumonia,
//! "Viral Pneumonia" is Pneumonia and Lung Opacity, "Lung_Opacity" is Lung Opacity and leaves Pneumonia blank. None of the 14 findings is
//! COVID-19, and a film of a patient who has it may show nothing: all 14 stay blank, and `finding_raw` has the class. The workbooks
//! (`*.metadata.xlsx`) and lung masks are not read.
//!
//! There are no patients: each film is its own. The classes come from different hospitals, normal and pneumonia partly from children,
//! so a model can tell them by their looks alone.
//!
//! Source: Chowdhury et al., IEEE Access 2020, <https://doi.org/10.1109/ACCESS.2020.3010287>; Rahman et al., Computers in Biology and
//! Medicine 2021, <https://doi.org/10.1016/j.compbiomed.2021.104319>;
//! <https://www.kaggle.com/datasets/tawsifurrahman/covid19-radiography-database>. License: that of the page, and those of the sources.

use medclip_core::Finding;

use super::error::PrepareError;
use super::gather::{Found, Gather, whole};
use super::prepared::LeftOutReason;
use super::tree::{Tree, join};
use crate::manifest::Annotation::{self, Absent, NotAnnotated, Present};

/// Class, and No Finding, Lung Opacity and Pneumonia.
const CLASSES: [(&str, [Annotation; 3]); 4] = [
    ("COVID", [NotAnnotated; 3]),
    ("Lung_Opacity", [Absent, Present, NotAnnotated]),
    ("Normal", [Present, Absent, Absent]),
    ("Viral Pneumonia", [Absent, Present, Present]),
];

pub(super) fn read(tree: &Tree, gather: &mut Gather<'_>) -> Result<(), PrepareError> {
    for (class, said) in CLASSES {
        let places = ["", "COVID-19_Radiography_Dataset/"].map(|top| format!("{top}{class}/images"));
        let folder = tree.need_folder(&places.each_ref().map(String::as_str))?;
        for name in tree.list(folder)?.unwrap_or_default() {
            let Some(film) = name.strip_suffix(".png") else {
                gather.leave_out(LeftOutReason::OtherFile);
                continue;
            };
            let path = join(folder, &name);
            let named =
                CLASSES.into_iter().find(|(other, _)| film.strip_prefix(other).is_some_and(is_number));
            if let Some((other, _)) = named.filter(|(other, _)| *other != class) {
                return Err(PrepareError::Contradiction {
                    film: film.to_owned(),
                    origin: whole(&path),
                    said: format!("in the folder of `{class}`"),
                    other: format!("its name is one of `{other}`; put it back"),
                });
            }
            let mut annotations = [NotAnnotated; Finding::COUNT];
            for (finding, value) in
                [Finding::NoFinding, Finding::LungOpacity, Finding::Pneumonia].into_iter().zip(said)
            {
                annotations[finding.index()] = value;
            }
            gather.add(Found {
                origin: whole(&path),
                images: vec![path],
                split: None,
                patient: format!("covid:{film}"),
                view: String::new(),
                annotations,
                labels: class.to_owned(),
                text: None,
            })?;
        }
    }
    Ok(())
}

/// What follows the class in a film's name: `-12`.
fn is_number(rest: &str) -> bool {
    rest.strip_prefix('-').is_some_and(|number| number.trim().bytes().all(|byte| byte.is_ascii_digit()))
}
