//! How do I ask for findings of my own?
//!
//! ```text
//! cargo run --release -p medclip-examples --example own_findings [IMAGE]
//! ```
//!
//! Research use only, not for diagnosis.

use std::sync::Arc;

use medclip::{Model, PromptSet, Scorer};

/// Each class is what its positive sentences say against what its negative ones say.
const PROMPTS: &str = r#"
[[class]]
name = "Large effusion"
positive = { sentences = ["There is a large pleural effusion.", "A large effusion fills the hemithorax."] }
negative = { sentences = ["There is no pleural effusion.", "The costophrenic angles are sharp."] }

[[class]]
name = "Enlarged heart"
positive = { sentences = ["The heart is enlarged.", "There is cardiomegaly."] }
negative = { sentences = ["The heart is normal in size."] }
"#;

#[allow(clippy::print_stdout, reason = "a program's output")]
fn main() -> anyhow::Result<()> {
    let image = std::env::args().nth(1).unwrap_or_else(|| "examples/images/phantom-effusion.png".to_owned());
    // Loaded once, shared by both scorers.
    let model = Arc::new(Model::open("models/medclip-edge")?);
    let own = Scorer::builder().model(Arc::clone(&model)).prompts(PromptSet::parse(PROMPTS)?).open()?;
    let usual = Scorer::builder().model(model).open()?;
    for scorer in [own, usual] {
        for finding in scorer.score_file(&image)?.findings() {
            println!("{:<28} {:.3}", finding.name, finding.probability);
        }
        println!();
    }
    Ok(())
}
