//! Films that were found, on a page.

use std::io::Cursor;

use image::{ExtendedColorType, ImageEncoder, ImageError, codecs::png::PngEncoder};
use medclip_archive::Source;
use medclip_archive::inputs::find;
use medclip_archive::maps::overlay;
use medclip_core::GrayImage;
use medclip_plot::{Block, Page, Picture};
use medclip_scorer::Failure;
use serde::Serialize;

use crate::films::{FilmRoot, IndexedFilms, Query};
use crate::open::Index;
use crate::search::{QueryError, Search};

/// A film that was found; the fields are the keys of a JSON object and the columns of CSV.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    /// Its place, from 1.
    pub rank: usize,
    /// Cosine of its embedding with the query's.
    pub cosine: f32,
    /// Its name in the index.
    pub path: String,
}

impl Index {
    /// As [`Index::query`], with the names of the films.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn find(&self, query: &[f32], k: usize, search: Search) -> Result<Vec<Found>, QueryError> {
        let hits = self.query(query, k, search)?;
        let found = (1..).zip(hits).map(|(rank, hit)| {
            let path = self.id(hit.row)?;
            Ok(Found { rank, cosine: hit.cosine, path })
        });
        found.collect()
    }
}

/// A page of the query and what it found, with everything inside. Films that were found are shown from `root` alone, with a map
/// of what each place adds to the cosine where `films` have maps, and otherwise as the model sees them.
///
/// # Shapes
/// - `vector`: `[dim]`, the query's embedding
pub fn sheet(
    index: &Index,
    films: &IndexedFilms,
    root: &FilmRoot,
    query: Query<'_>,
    vector: &[f32],
    found: &[Found],
) -> String {
    let notice =
        "Cosines of embeddings rank films; they are no probabilities. Research use only, not for diagnosis.";
    let mut facts = vec![
        ("Model".to_owned(), films.scorer().model().name().to_owned()),
        ("Model id".to_owned(), index.model_id().to_owned()),
        ("Films searched".to_owned(), index.len().to_string()),
    ];
    let options = index.options().into_iter().flatten().filter(|(_, value)| !value.is_empty());
    facts.extend(options.map(|(name, value)| (format!("Shown with {name}"), value.clone())));
    let mut blocks = vec![Block::Paragraph(notice.to_owned())];
    match query {
        Query::Sentence(text) => {
            facts.push(("Sentence".to_owned(), text.to_owned()));
            blocks.push(Block::Facts(facts));
        }
        Query::Film(id) => {
            blocks.push(Block::Facts(facts));
            blocks.push(Block::Heading("Query".to_owned()));
            blocks.push(Block::Pictures(vec![picture(films, find(id), None, vec![id.to_owned()])]));
        }
    }
    let picture = |found: &Found| {
        let caption = vec![format!("{}: cosine {:.4}", found.rank, found.cosine), found.path.clone()];
        picture(films, root.find(&found.path), Some((vector, found.cosine)), caption)
    };
    blocks.push(Block::Heading("Nearest films".to_owned()));
    if films.scorer().has_maps() {
        let words =
            "Red places make a film more like the query, blue ones less; on average they give the cosine.";
        blocks.push(Block::Paragraph(words.to_owned()));
    }
    blocks.push(Block::Pictures(found.iter().map(picture).collect()));
    Page { title: "Films found".to_owned(), blocks }.to_html()
}

/// The film, with the map of a direction where one is given and the model has maps; its caption says why where it cannot be
/// shown.
fn picture(
    films: &IndexedFilms,
    source: Result<Source, Failure>,
    toward: Option<(&[f32], f32)>,
    mut caption: Vec<String>,
) -> Picture {
    let shown = source.and_then(|source| films.film(source)).and_then(|film| {
        if let Some((direction, cosine)) = toward.filter(|_| films.scorer().has_maps()) {
            let scorer = films.scorer();
            let maps = scorer.map_toward(&scorer.prepare_film(film), "", direction)?;
            let [map] = maps.classes.as_slice() else {
                return Err(Failure::new(Failure::ENGINE, "the model gave no map"));
            };
            return overlay(&maps, map, &format!("cosine {cosine:+.3}"))
                .map_err(|error| Failure::new("image", error));
        }
        let small = films.scorer().model().preprocessor().resized(&film.image);
        png(&small).map_err(|error| Failure::new("image", error))
    });
    match shown {
        Ok(png) => Picture { png: Some(png), caption },
        Err(failure) => {
            caption.push(format!("cannot be shown: {}", failure.message));
            Picture { png: None, caption }
        }
    }
}

fn png(image: &GrayImage) -> Result<Vec<u8>, ImageError> {
    let mut png = Cursor::new(Vec::new());
    let encoder = PngEncoder::new(&mut png);
    encoder.write_image(image.pixels(), image.width(), image.height(), ExtendedColorType::L8)?;
    Ok(png.into_inner())
}
