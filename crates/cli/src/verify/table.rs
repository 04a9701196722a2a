//! A verification on a terminal.

use std::io::{self, Write};

use medclip_bundling::{Agreement, EngineSelfTest, MapComparison, ParityLimits, Verification};
use medclip_core::terminal::Escaped;
use medclip_runtime::SelfTest;

use crate::output::{plain_table, write_table};

/// Everything that was found.
pub(super) fn write(out: &mut impl Write, found: &Verification) -> io::Result<()> {
    let Verification { model, bundle, reference, limits, .. } = found;
    writeln!(out, "{} ({})", Escaped(model), &bundle[..12.min(bundle.len())])?;
    writeln!(out, "compared with {}", Escaped(reference))?;
    if found.half_precision_text {
        writeln!(out, "the text tower is stored in half precision")?;
    }
    writeln!(out)?;
    let header = ["Engine", "Batch", "Image |Δ|", "Image cosine", "Text |Δ|", "Text cosine", "Logit |Δ|", ""];
    let mut table = plain_table(&header, &[1, 2, 3, 4, 5, 6]);
    for each in &found.results {
        table.add_row([
            each.engine.clone(),
            each.batch.to_string(),
            format!("{:.1e}", each.image.largest),
            format!("{:.7}", each.image.cosine),
            format!("{:.1e}", each.text.largest),
            format!("{:.7}", each.text.cosine),
            format!("{:.1e}", each.logit),
            if limits.hold(each) { "within" } else { "PAST THE LIMITS" }.to_owned(),
        ]);
    }
    write_table(out, table)?;
    let ParityLimits { image_cosine, text_cosine, logit, .. } = limits;
    writeln!(
        out,
        "\nlimits: cosine at least {image_cosine} (images), {text_cosine} (sentences), logit at most {logit:.0e}"
    )?;
    write_agreements(out, &found.compared, &found.not_compared)?;
    for found in &found.maps {
        let MapComparison { engine, mean, largest } = found;
        let apart = largest.map(|largest| format!(", {largest:.1e} from {reference}")).unwrap_or_default();
        let verdict = if limits.hold_maps(found) { "within" } else { "PAST THE LIMITS" };
        writeln!(out, "maps on {engine}: {mean:.1e} from their embedding{}: {verdict}", Escaped(apart))?;
    }
    for EngineSelfTest { engine, cosines } in &found.self_tests {
        let SelfTest { image, text, .. } = cosines;
        let verdict = if cosines.passed() { "passed" } else { "FAILED" };
        let text = text.map(|cosine| format!(", {cosine:.7} (sentences)")).unwrap_or_default();
        writeln!(out, "self-test on {engine}: {verdict}, cosine {image:.7} (images){text}")?;
    }
    Ok(())
}

/// A table of what was compared, and what was not.
fn write_agreements(out: &mut impl Write, compared: &[Agreement], not: &[String]) -> io::Result<()> {
    if !compared.is_empty() {
        let mut table = plain_table(&["Compared", "Bundle", "Weights", ""], &[]);
        for Agreement { what, bundle, weights, agrees } in compared {
            let verdict = if *agrees { "agree" } else { "DIFFER" };
            table.add_row([what.as_str(), bundle.as_str(), weights.as_str(), verdict]);
        }
        writeln!(out)?;
        write_table(out, table)?;
    }
    for reason in not {
        writeln!(out, "not compared: {}", Escaped(reason))?;
    }
    if !compared.is_empty() || !not.is_empty() {
        writeln!(out)?;
    }
    Ok(())
}
