//! Films that were found, on a page.

use std::io::Cursor;

use anyhow::anyhow;
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use medclip_archive::Source;
use medclip_archive::inputs::find;
use medclip_index::Index;
use medclip_plot::{Block, Page, Picture};
use medclip_runtime::Model;

use super::query::Found;
use super::root::Root;
use super::shown::Shown;

/// A page of the query and what it found, with everything inside.
pub(super) fn page(
    model: &Model,
    index: &Index,
    shown: &Shown,
    root: &Root,
    image: Option<&str>,
    text: Option<&str>,
    found: &[Found<'_>],
) -> String {
    let notice =
        "Cosines of embeddings rank films; they are no probabilities. Research use only, not for diagnosis.";
    let mut facts = vec![
        ("Model".to_owned(), model.name().to_owned()),
        ("Model id".to_owned(), index.model_id().to_owned()),
        ("Films searched".to_owned(), index.len().to_string()),
    ];
    let options = index.options().into_iter().flatten().filter(|(_, value)| !value.is_empty());
    facts.extend(options.map(|(name, value)| (format!("Shown with {name}"), value.clone())));
    facts.extend(text.map(|text| ("Sentence".to_owned(), text.to_owned())));
    let mut blocks = vec![Block::Paragraph(notice.to_owned()), Block::Facts(facts)];
    if let Some(path) = image {
        blocks.push(Block::Heading("Query".to_owned()));
        blocks.push(Block::Pictures(vec![picture(model, shown, typed(path), vec![path.to_owned()])]));
    }
    let picture = |found: &Found<'_>| {
        let caption = vec![format!("{}: cosine {:.4}", found.rank, found.cosine), found.path.to_owned()];
        picture(model, shown, root.find(found.path), caption)
    };
    blocks.push(Block::Heading("Nearest films".to_owned()));
    blocks.push(Block::Pictures(found.iter().map(picture).collect()));
    Page { title: "Films found".to_owned(), blocks }.to_html()
}

/// The film that the user named as the query.
fn typed(id: &str) -> anyhow::Result<Source> {
    find(id).map_err(|failure| anyhow!(failure.message))
}

/// The film as the model sees it; its caption says why where it cannot be shown.
fn picture(
    model: &Model,
    shown: &Shown,
    source: anyhow::Result<Source>,
    mut caption: Vec<String>,
) -> Picture {
    match source.and_then(|source| png(model, shown, source)) {
        Ok(png) => Picture { png: Some(png), caption },
        Err(error) => {
            caption.push(format!("cannot be shown: {error:#}"));
            Picture { png: None, caption }
        }
    }
}

fn png(model: &Model, shown: &Shown, source: Source) -> anyhow::Result<Vec<u8>> {
    let small = model.preprocessor().resized(&shown.film(source)?.image);
    let mut png = Cursor::new(Vec::new());
    let encoder = PngEncoder::new(&mut png);
    encoder.write_image(small.pixels(), small.width(), small.height(), ExtendedColorType::L8)?;
    Ok(png.into_inner())
}
