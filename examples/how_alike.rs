//! How alike are two films?
//!
//! ```text
//! cargo run --release -p medclip-examples --example how_alike [IMAGE IMAGE]
//! ```
//!
//! Research use only, not for diagnosis.

use anyhow::Context;
use medclip::Scorer;

#[allow(clippy::print_stdout, reason = "a program's output")]
fn main() -> anyhow::Result<()> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let images = match &given[..] {
        [one, other] => [one.as_str(), other],
        _ => ["examples/images/phantom-effusion.png", "examples/images/phantom-normal.png"],
    };
    let scorer = Scorer::builder().bundle("models/medclip-edge").embeddings(true).open()?;
    let mut embeddings = Vec::new();
    for image in images {
        let report = scorer.score_file(image).with_context(|| image.to_owned())?;
        embeddings.push(report.embedding().context("scores are withheld")?.to_vec());
    }
    // Embeddings have unit length: their product is the cosine of the angle between them.
    let cosine: f32 = embeddings[0].iter().zip(&embeddings[1]).map(|(a, b)| a * b).sum();
    println!("{cosine:.4}");
    Ok(())
}
