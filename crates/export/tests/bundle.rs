//! Bundles written from the golden checkpoint open again, and failures leave nothing behind.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

mod support;

use std::fs;

use medclip_core::batch::{Embeddings, EmbeddingsError};
use medclip_core::bundle::{Bundle, BundleFile};
use medclip_core::golden::golden_sentences;
use medclip_export::{BundleContents, BundleOptions, EmbedRequest, WriteBundleError, write_bundle};
use support::{checkpoint, golden, run, values};
use tempfile::TempDir;
use tract_onnx::prelude::*;

const CONTENTS: BundleContents<'static> = BundleContents {
    prompts: r#"# kept
[[class]]
name = "Cardiomegaly"
positive = { sentences = ["the heart is enlarged", "large heart ."] }
negative = { sentences = ["heart size is normal"] }

[[class]]
name = "Pleural Effusion"
positive = { sentences = ["small left pleural effusion"] }
negative = { sentences = ["no pleural effusion", "lungs clear"] }
"#,
    card: "# golden\n",
};

/// Every sentence on its own through tract, images together.
fn embed(request: EmbedRequest<'_>) -> Result<Embeddings, EmbeddingsError> {
    let mut rows = Vec::new();
    let config = match request {
        EmbedRequest::Sentences { graph, config, tokenizer, batches, .. } => {
            for sentence in batches.concat() {
                let tokens = tokenizer.batch(&[sentence]).unwrap();
                let ids = Tensor::from_shape(&tokens.shape(), tokens.ids()).unwrap();
                let mask = Tensor::from_shape(&tokens.shape(), tokens.mask()).unwrap();
                rows.extend_from_slice(values(&run(&fs::read(graph).unwrap(), &[&ids, &mask])));
            }
            config
        }
        EmbedRequest::Images { graph, config, images, .. } => {
            let pixels = Tensor::from_shape(&images.shape(), images.data()).unwrap();
            rows.extend_from_slice(values(&run(&fs::read(graph).unwrap(), &[&pixels])));
            config
        }
        other => panic!("nothing here embeds {other:?}"),
    };
    Embeddings::new(rows, config.architecture.embedding_dim)
}

#[test]
fn a_bundle_opens_and_holds_what_the_checkpoint_holds() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("golden");
    let checkpoint = checkpoint();
    let options = BundleOptions::default();
    write_bundle(&checkpoint, CONTENTS, &options, &path, embed).unwrap();

    let bundle = Bundle::open(&path).unwrap();
    assert_eq!(bundle.config(), checkpoint.config());
    assert_eq!(bundle.bank().dim(), 16);
    let counts: Vec<usize> =
        bundle.bank().classes().iter().map(|class| class.positive.len() + class.negative.len()).collect();
    assert_eq!(counts, [3, 3]);
    let read = |file| fs::read(bundle.path(file)).unwrap();
    assert_eq!(read(BundleFile::Prompts), CONTENTS.prompts.as_bytes());
    assert_eq!(read(BundleFile::Card), CONTENTS.card.as_bytes());
    assert_eq!(read(BundleFile::Tokenizer), fs::read(golden("checkpoint/tokenizer.json")).unwrap());
    assert_eq!(read(BundleFile::IMAGE_GRAPH), checkpoint.image_graph(&options.image).unwrap().into_bytes());
    assert_eq!(read(BundleFile::TEXT_GRAPH), checkpoint.text_graph(&options.text).unwrap().into_bytes());
}

#[test]
fn the_same_checkpoint_gives_the_same_bundle() {
    let directory = TempDir::new().unwrap();
    let id = |name: &str| {
        let path = directory.path().join(name);
        write_bundle(&checkpoint(), CONTENTS, &BundleOptions::default(), &path, embed).unwrap();
        Bundle::open(&path).unwrap().id().to_owned()
    };
    assert_eq!(id("one"), id("two"));
}

#[test]
fn failures_leave_nothing_behind() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("golden");
    let write = |contents, result: Result<Embeddings, &'static str>| {
        write_bundle(&checkpoint(), contents, &BundleOptions::default(), &path, |_| result.clone())
            .unwrap_err()
    };
    let rows = |values: Vec<f32>, dim| Ok(Embeddings::new(values, dim).unwrap());
    let unit = |rows: usize| [&[1.0], &[0.0; 15][..]].concat().repeat(rows);

    let bad_prompts = BundleContents { prompts: "", ..CONTENTS };
    assert!(matches!(write(bad_prompts, Err("unused")), WriteBundleError::Prompts(_)));
    assert!(
        matches!(write(CONTENTS, Err("engine")), WriteBundleError::Embed(source) if source.to_string() == "engine")
    );
    let narrow = write(CONTENTS, rows(vec![1.0; 6], 1));
    assert!(matches!(narrow, WriteBundleError::Dimension { actual: 1, expected: 16 }));
    let sentences = 6 + golden_sentences().len();
    let short = write(CONTENTS, rows(unit(sentences - 1), 16));
    assert!(
        matches!(short, WriteBundleError::Rows { actual, expected } if actual + 1 == expected && expected == sentences)
    );
    let broken = write(CONTENTS, rows(vec![f32::NAN; sentences * 16], 16));
    assert!(matches!(broken, WriteBundleError::Bank(_)), "{broken}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);

    fs::create_dir(&path).unwrap();
    assert!(matches!(write(CONTENTS, rows(unit(6), 16)), WriteBundleError::Write(_)));
    assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
}
