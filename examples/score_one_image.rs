//! What does the model say of this film?
//!
//! ```text
//! cargo run --release -p medclip-examples --example score_one_image [IMAGE] [BUNDLE] [tract|rten|ort-cpu]
//! ```
//!
//! Research use only, not for diagnosis.

use medclip::{EngineKind, Scorer};

#[allow(clippy::print_stdout, reason = "a program's output")]
fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let image = arguments.next().unwrap_or_else(|| "examples/images/phantom-effusion.png".to_owned());
    let bundle = arguments.next().unwrap_or_else(|| "models/medclip-edge".to_owned());
    let engine: EngineKind = arguments.next().map_or(Ok(EngineKind::Tract), |name| name.parse())?;

    let scorer = Scorer::builder().bundle(bundle).engine(engine).open()?;
    let report = scorer.score_file(image)?;
    for finding in report.findings() {
        println!("{:<28} {:+.3} {:.3}", finding.name, finding.logit, finding.probability);
    }
    Ok(())
}
