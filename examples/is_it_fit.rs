//! Is this a film that the model was made for?
//!
//! ```text
//! cargo run --release -p medclip-examples --example is_it_fit [IMAGE]
//! ```
//!
//! Research use only, not for diagnosis.

use medclip::{Policy, Scorer};

#[allow(clippy::print_stdout, reason = "a program's output")]
fn main() -> anyhow::Result<()> {
    let image = std::env::args().nth(1).unwrap_or_else(|| "examples/images/phantom-normal.png".to_owned());
    // Anything that is no frontal chest film has no scores; everything else is a warning beside them.
    let mut checks = Policy::default();
    for setting in ["not_a_chest_film=abstain", "lateral=abstain", "modality=abstain", "body_part=abstain"] {
        checks.set(setting)?;
    }
    let scorer = Scorer::builder().bundle("models/medclip-edge").checks(checks).open()?;

    let report = scorer.score_file(&image)?;
    let codes: Vec<_> = report.qc.iter().map(|code| code.name()).collect();
    println!("{image}: {}", if codes.is_empty() { "nothing unusual".to_owned() } else { codes.join(", ") });
    for note in &report.notes {
        println!("note: {}", note.text);
    }
    match report.failure() {
        Some(failure) => println!("no scores: {}", failure.message),
        None => println!("{} findings scored", report.findings().count()),
    }
    Ok(())
}
