//! Draws the synthetic radiographs of `examples/images`, the same bits each time.
//!
//! ```text
//! cargo run -p medclip-examples --example make_phantoms [DIRECTORY]
//! ```

use std::path::PathBuf;

use anyhow::Context;
use medclip_phantom::{Condition, Phantom, PhantomSpec, Severity, Side, Zone, write_png};

const SIZE: u32 = 320;

fn main() -> anyhow::Result<()> {
    let directory =
        std::env::args_os().nth(1).map_or_else(|| PathBuf::from("examples/images"), PathBuf::from);
    std::fs::create_dir_all(&directory).with_context(|| format!("cannot make {}", directory.display()))?;

    let severity = Severity::Moderate;
    let films = [
        ("normal", 11, None),
        ("cardiomegaly", 12, Some(Condition::Cardiomegaly { severity })),
        ("effusion", 13, Some(Condition::PleuralEffusion { side: Side::Right, severity })),
        ("consolidation", 14, Some(Condition::Consolidation { side: Side::Left, zone: Zone::Lower })),
        ("pneumothorax", 15, Some(Condition::Pneumothorax { side: Side::Right, severity })),
        ("edema", 16, Some(Condition::Edema { severity })),
    ];
    for (name, seed, condition) in films {
        let spec = PhantomSpec { seed, size: SIZE, conditions: Vec::from_iter(condition) };
        let phantom = Phantom::new(spec)?;
        let path = directory.join(format!("phantom-{name}.png"));
        write_png(&phantom.render(), &path)?;
        let sentences = phantom.sentences().into_iter().map(|sentence| sentence.text).collect::<Vec<_>>();
        #[expect(clippy::print_stdout, reason = "a program's output")]
        {
            println!("{}: {}", path.display(), sentences.join(" "));
        }
    }
    Ok(())
}
