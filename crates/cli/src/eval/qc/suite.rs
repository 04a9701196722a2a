//! Films and what was made of them, embedded.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use medclip_data::Record;
use medclip_data::random::{Purpose, stream};
use medclip_decode::{Film, Limits};
use medclip_qc::suite::Spoil;
use medclip_qc::{Code, pixels};

use crate::eval::films::Films;
use crate::inputs::expand;
use crate::ordered::for_each_ordered;
use crate::output::progress;
use crate::{one_line, report_error};

/// Pictures of a kind, at most: drawn by a program, they are soon all alike.
const PICTURES: usize = 1000;

/// Films to spoil, and with what.
pub(super) struct Suite<'a> {
    pub(super) films: &'a Films,
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
    ) -> anyhow::Result<(Checked<'a>, Vec<Group<'a>>)> {
        let whole = self.records(clean, None)?;
        let spaced = |records: &[&'a Record], most: usize| {
            let step = records.len().div_ceil(most.max(1)).max(1);
            records.iter().copied().step_by(step).collect::<Vec<_>>()
        };
        let mut groups = Vec::new();
        for spoil in Spoil::ALL {
            let most = if spoil.code() == Code::NotAChestFilm { PICTURES } else { usize::MAX };
            let checked = self.records(&spaced(clean, self.spoil.min(most)), Some(spoil))?;
            groups.push(Group { name: spoil.name().to_owned(), code: spoil.code(), checked });
        }
        if !laterals.is_empty() {
            let checked = self.records(&spaced(laterals, self.spoil), None)?;
            groups.push(Group { name: "lateral".to_owned(), code: Code::Lateral, checked });
        }
        if !pictures.is_empty() {
            let checked = self.pictures(pictures)?;
            groups.push(Group { name: "given pictures".to_owned(), code: Code::NotAChestFilm, checked });
        }
        Ok((whole, groups))
    }

    fn records(&self, records: &[&'a Record], spoil: Option<Spoil>) -> anyhow::Result<Checked<'a>> {
        let draws = spoil.map_or(1, Spoil::draws);
        let items = records.iter().flat_map(|record| std::iter::repeat_n(*record, draws)).enumerate();
        let root = &self.films.manifest.root;
        let (rows, failed) = self.rows(items.collect(), |(index, record)| {
            let film = read(&root.join(&record.path))?;
            let Some(spoil) = spoil else { return Ok(film) };
            let mut draw = stream(self.seed, Purpose::Augment, spoil as u64, *index as u64);
            Ok(Film { image: spoil.apply(&film.image, &mut draw), ..film })
        })?;
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

    fn pictures(&self, paths: &[PathBuf]) -> anyhow::Result<Checked<'a>> {
        let (rows, failed) = self.rows(expand(paths), |input| match &input.problem {
            Some(problem) => Err(anyhow!("{}: {problem:#}", input.path.display())),
            None => read(&input.path),
        })?;
        let (pixel_codes, embeddings) = rows.into_iter().map(|(_, row)| row).unzip();
        Ok(Checked { records: Vec::new(), pixel_codes, embeddings, failed })
    }

    /// Rows of the images that can be read, by position; the others are reported and counted.
    fn rows<T: Sync + Send>(
        &self,
        items: Vec<T>,
        image: impl Fn(&T) -> anyhow::Result<Film> + Sync,
    ) -> anyhow::Result<(Vec<(usize, Row)>, usize)> {
        let model = &self.films.model;
        let bar = progress(items.len(), "images");
        let (mut rows, mut failed, mut position) = (Vec::new(), 0, 0);
        let row = |item: T| {
            let Film { image, chroma, .. } = image(&item)?;
            let mut codes = pixels::check(&image);
            codes.extend(pixels::check_colour(chroma));
            let batch = model.preprocessor().batch(&[image])?;
            anyhow::Ok((codes, model.embed_images(&batch)?.row(0).to_vec()))
        };
        for_each_ordered(items, self.films.workers, row, |result| {
            bar.inc(1);
            match result.unwrap_or_else(|_| Err(anyhow!("a fault in medclip"))) {
                Ok(row) => rows.push((position, row)),
                Err(error) => {
                    failed += 1;
                    bar.suspend(|| report_error(&one_line(&error)));
                }
            }
            position += 1;
            anyhow::Ok(())
        })?;
        bar.finish_and_clear();
        Ok((rows, failed))
    }
}

fn read(path: &Path) -> anyhow::Result<Film> {
    medclip_decode::open(path, &Limits::default()).with_context(|| path.display().to_string())
}
