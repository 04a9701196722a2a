//! Writes the two graphs of a checkpoint without a bundle around them, for a look with other tools:
//!
//! `cargo run --release -p medclip-export --example graphs -- CHECKPOINT OUT [f16]`

use std::error::Error;
use std::path::PathBuf;

use medclip_export::{Checkpoint, GraphOptions, Storage};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(checkpoint), Some(out)) = (arguments.next(), arguments.next().map(PathBuf::from)) else {
        return Err("usage: graphs CHECKPOINT OUT [f16]".into());
    };
    let storage = if arguments.next().as_deref() == Some("f16") { Storage::F16 } else { Storage::F32 };
    let options = GraphOptions { storage };
    let checkpoint = Checkpoint::open(checkpoint)?;
    std::fs::create_dir_all(&out)?;
    // As a bundle holds a large tower: its weights beside the graph.
    let (image, weights) = checkpoint.image_graph(&options)?.detach("image.onnx.data");
    std::fs::write(out.join("image.onnx"), image.into_bytes())?;
    weights.write_to(&mut std::fs::File::create(out.join("image.onnx.data"))?)?;
    std::fs::write(out.join("text.onnx"), checkpoint.text_graph(&options)?.into_bytes())?;
    Ok(())
}
