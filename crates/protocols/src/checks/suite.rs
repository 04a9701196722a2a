//! Films and what was made of them, embedded.

use std::path::PathBuf;

use medclip_data::Record;
use medclip_data::random::{Purpose, stream};
use medclip_decode::Film;
use medclip_qc::suite::Spoil;
use medclip_qc::{Code, pixels};
use tracing::info_span;

use crate::embed::{embed, read};
use crate::error::{EvaluationError, FilmError};
use crate::evaluator::Evaluator;
use crate::observer::{Observer, Progress, Unit, go_on};
use crate::ordered::for_each_ordered;
use crate::pictures::{Picture, pictures};

/// Pictures of a kind, at most: drawn by a program, they are soon all alike.
const PICTURES: usize = 1000;

/// Films to spoil, and with what.
pub(super) struct Suite<'a> {
    pub(super) evaluator: &'a Evaluator,
    /// Films to spoil in every way, at most.
    pub(super) spoil: usize,
    pub(super) seed: u64,
}

/// Images that could be read: what their pixels say, and their unit-norm embeddings.
#[derive(Default)]
pub(super) struct Checked<'a> {
    /// The film of each row, where the images are made of films of the manifest.
    pub(super) records: Vec<&'a Record>,
    pub(super) pixel_codes: Vec<Vec<Code>>,
    pub(super) embeddings: Vec<Vec<f32>>,
    pub(super) failed: usize,
}

/// Images that have something wrong with them.
pub(super) struct Group<'a> {
    pub(super) name: String,
    /// What the checks should find.
    pub(super) code: Code,
    pub(super) checked: Checked<'a>,
}

/// What pixels say, and the embedding.
type Row = (Vec<Code>, Vec<f32>);

impl<'a> Suite<'a> {
    /// The clean films as they are, and every group of spoilt ones.
    pub(super) fn check(
        &self,
        clean: &[&'a Record],
        laterals: &[&'a Record],
        pictures: &[PathBuf],
        observer: &mut dyn Observer,
    ) -> Result<(Checked<'a>, Vec<Group<'a>>), EvaluationError> {
        let whole = self.records(clean, None, observer)?;
        let spaced = |records: &[&'a Record], most: usize| {
            let step = records.len().div_ceil(most.max(1)).max(1);
            records.iter().copied().step_by(step).collect::<Vec<_>>()
        };
        let mut groups = Vec::new();
        for spoil in Spoil::ALL {
            let most = if spoil.code() == Code::NotAChestFilm { PICTURES } else { usize::MAX };
            let checked = self.records(&spaced(clean, self.spoil.min(most)), Some(spoil), observer)?;
            groups.push(Group { name: spoil.name().to_owned(), code: spoil.code(), checked });
        }
        if !laterals.is_empty() {
            let checked = self.records(&spaced(laterals, self.spoil), None, observer)?;
            groups.push(Group { name: "lateral".to_owned(), code: Code::Lateral, checked });
        }
        if !pictures.is_empty() {
            let checked = self.pictures(pictures, observer)?;
            groups.push(Group { name: "given pictures".to_owned(), code: Code::NotAChestFilm, checked });
        }
        Ok((whole, groups))
    }

    fn records(
        &self,
        records: &[&'a Record],
        spoil: Option<Spoil>,
        observer: &mut dyn Observer,
    ) -> Result<Checked<'a>, EvaluationError> {
        let draws = spoil.map_or(1, Spoil::draws);
        let root = self.evaluator.films().root();
        let films = records.iter().flat_map(|record| std::iter::repeat_n(root.join(&record.path), draws));
        let films: Vec<Picture> = films.map(Picture::from).collect();
        let spoilt = |index: usize, film: Film| {
            let Some(spoil) = spoil else { return film };
            let mut draw = stream(self.seed, Purpose::Augment, spoil as u64, index as u64);
            Film { image: spoil.apply(&film.image, &mut draw), ..film }
        };
        let (rows, failed) = self.rows(&films, spoilt, observer)?;
        let mut checked = Checked { failed, ..Checked::default() };
        for (index, (mut codes, embedding)) in rows {
            if spoil.is_some() {
                // A part of a small film is small, one of a full-size film is not: the size finds no crop.
                codes.retain(|code| *code != Code::LowResolution);
            }
            checked.records.push(records[index / draws]);
            checked.pixel_codes.push(codes);
            checked.embeddings.push(embedding);
        }
        Ok(checked)
    }

    fn pictures(
        &self,
        paths: &[PathBuf],
        observer: &mut dyn Observer,
    ) -> Result<Checked<'a>, EvaluationError> {
        let (rows, failed) = self.rows(&pictures(paths), |_, film| film, observer)?;
        let (pixel_codes, embeddings) = rows.into_iter().map(|(_, row)| row).unzip();
        Ok(Checked { records: Vec::new(), pixel_codes, embeddings, failed })
    }

    /// Rows of the images that can be read, by position; the others are told to `observer` and counted.
    fn rows(
        &self,
        items: &[Picture],
        change: impl Fn(usize, Film) -> Film + Sync,
        observer: &mut dyn Observer,
    ) -> Result<(Vec<(usize, Row)>, usize), EvaluationError> {
        let _span = info_span!("check", images = items.len(), threads = self.evaluator.threads()).entered();
        let model = self.evaluator.model();
        observer.tell(Progress::Begin { unit: Unit::Images, count: items.len() });
        let (mut rows, mut failed) = (Vec::new(), 0);
        let row = |(index, Picture { path, problem }): (usize, &Picture)| {
            if let Some(problem) = problem {
                return Err(FilmError::Unreadable { path: path.clone(), problem: problem.clone() });
            }
            let film = change(index, read(path)?);
            let mut codes = pixels::check(&film.image);
            codes.extend(pixels::check_color(film.chroma));
            Ok((codes, embed(model, path, film)?))
        };
        let mut waiting = items.iter().enumerate();
        for_each_ordered(items.iter().enumerate(), self.evaluator.threads(), row, |result| {
            let (position, item) = waiting.next().ok_or(EvaluationError::Fault("checking images"))?;
            observer.tell(Progress::Done(1));
            go_on(observer)?;
            match result.unwrap_or_else(|_| Err(FilmError::Fault { path: item.path.clone() })) {
                Ok(row) => rows.push((position, row)),
                Err(error) => {
                    failed += 1;
                    observer.tell(Progress::Failed(&error));
                }
            }
            Ok::<(), EvaluationError>(())
        })?;
        observer.tell(Progress::End);
        Ok((rows, failed))
    }
}
