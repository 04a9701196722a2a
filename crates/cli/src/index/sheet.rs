//! Films that were found, on a page.

use std::io::Cursor;
use std::path::Path;

use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use medclip_archive::intake::{ArchiveReader, find};
use medclip_decode::Limits;
use medclip_index::Index;
use medclip_plot::{Block, Page, Picture};
use medclip_runtime::Model;

use super::query::Found;

/// A page of the query and what it found, with everything inside.
pub(super) fn page(
    model: &Model,
    index: &Index,
    image: Option<&Path>,
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
    facts.extend(text.map(|text| ("Sentence".to_owned(), text.to_owned())));
    let mut blocks = vec![Block::Paragraph(notice.to_owned()), Block::Facts(facts)];
    if let Some(path) = image {
        let path = path.display().to_string();
        blocks.push(Block::Heading("Query".to_owned()));
        blocks.push(Block::Pictures(vec![picture(model, &path, vec![path.clone()])]));
    }
    let picture = |found: &Found<'_>| {
        let caption = vec![format!("{}: cosine {:.4}", found.rank, found.cosine), found.path.to_owned()];
        picture(model, found.path, caption)
    };
    blocks.push(Block::Heading("Nearest films".to_owned()));
    blocks.push(Block::Pictures(found.iter().map(picture).collect()));
    Page { title: "Films found".to_owned(), blocks }.to_html()
}

/// The film as the model sees it; its caption says why where it cannot be shown.
fn picture(model: &Model, id: &str, mut caption: Vec<String>) -> Picture {
    match png(model, id) {
        Ok(png) => Picture { png: Some(png), caption },
        Err(error) => {
            caption.push(format!("cannot be shown: {error:#}"));
            Picture { png: None, caption }
        }
    }
}

fn png(model: &Model, id: &str) -> anyhow::Result<Vec<u8>> {
    let limits = Limits::default();
    let source = find(id).map_err(|failure| anyhow::anyhow!(failure.message))?;
    let image = match &source.member {
        None => medclip_decode::open(&source.path, &limits).map_err(|error| error.reason)?,
        Some(member) => {
            let bytes = ArchiveReader::default().read(&source.path, member);
            let bytes = bytes.map_err(|failure| anyhow::anyhow!(failure.message))?;
            medclip_decode::from_bytes(&bytes, &limits)?
        }
    };
    let small = model.preprocessor().resized(&image);
    let mut png = Cursor::new(Vec::new());
    let encoder = PngEncoder::new(&mut png);
    encoder.write_image(small.pixels(), small.width(), small.height(), ExtendedColorType::L8)?;
    Ok(png.into_inner())
}
