//! Scores one radiograph with the shipped model, on tract, on rten or on ONNX Runtime.
//!
//! ```text
//! cargo run --release -p medclip-examples --example score_one_image [IMAGE] [BUNDLE] [tract|rten|ort-cpu]
//! ```
//!
//! Research use only, not for diagnosis.

use medclip_decode::Limits;
use medclip_runtime::{EngineKind, Model, ModelOptions};

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let image = arguments.next().unwrap_or_else(|| "examples/images/phantom-effusion.png".to_owned());
    let bundle = arguments.next().unwrap_or_else(|| "models/medclip-edge".to_owned());
    let engine: EngineKind = arguments.next().map_or(Ok(EngineKind::Tract), |name| name.parse())?;

    let model = Model::open_with(bundle, ModelOptions { engine: engine.into(), ..ModelOptions::default() })?;
    let film = medclip_decode::open(image, &Limits::default())?;
    let batch = model.preprocessor().batch(&[film.image])?;
    for finding in model.classifier().scores(&model.embed_images(&batch)?)?.iter().flatten() {
        #[expect(clippy::print_stdout, reason = "a program's output")]
        {
            println!("{:<28} {:+.3} {:.3}", finding.name, finding.logit, finding.probability);
        }
    }
    Ok(())
}
