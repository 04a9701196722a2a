//! A verification, for people.

use std::fmt;

use medclip_core::terminal::{Escaped, TextTable};
use medclip_runtime::SelfTest;

use super::agreement::Agreement;
use super::compare::{MapComparison, ParityLimits};
use super::report::{EngineSelfTest, Verification};

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = self;
        let Verification { model, bundle, reference, limits, .. } = found;
        writeln!(f, "{} ({})", Escaped(model), &bundle[..12.min(bundle.len())])?;
        writeln!(f, "compared with {}", Escaped(reference))?;
        if found.half_precision_text {
            writeln!(f, "the text tower is stored in half precision")?;
        }
        writeln!(f)?;
        let header =
            ["Engine", "Batch", "Image |Δ|", "Image cosine", "Text |Δ|", "Text cosine", "Logit |Δ|", ""];
        let mut table = TextTable::new(&header, &[1, 2, 3, 4, 5, 6]);
        for each in &found.results {
            table.row([
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
        write!(f, "{table}")?;
        let ParityLimits { image_cosine, text_cosine, logit, .. } = limits;
        writeln!(
            f,
            "\nlimits: cosine at least {image_cosine} (images), {text_cosine} (sentences), logit at most {logit:.0e}"
        )?;
        write_agreements(f, &found.compared, &found.not_compared)?;
        for found in &found.maps {
            let MapComparison { engine, mean, largest } = found;
            let apart =
                largest.map(|largest| format!(", {largest:.1e} from {reference}")).unwrap_or_default();
            let verdict = if limits.hold_maps(found) { "within" } else { "PAST THE LIMITS" };
            writeln!(f, "maps on {engine}: {mean:.1e} from their embedding{}: {verdict}", Escaped(apart))?;
        }
        for EngineSelfTest { engine, cosines } in &found.self_tests {
            let SelfTest { image, text, .. } = cosines;
            let verdict = if cosines.passed() { "passed" } else { "FAILED" };
            let text = text.map(|cosine| format!(", {cosine:.7} (sentences)")).unwrap_or_default();
            writeln!(f, "self-test on {engine}: {verdict}, cosine {image:.7} (images){text}")?;
        }
        Ok(())
    }
}

/// A table of what was compared, and what was not.
fn write_agreements(f: &mut fmt::Formatter<'_>, compared: &[Agreement], not: &[String]) -> fmt::Result {
    if !compared.is_empty() {
        let mut table = TextTable::new(&["Compared", "Bundle", "Weights", ""], &[]);
        for Agreement { what, bundle, weights, agrees } in compared {
            let verdict = if *agrees { "agree" } else { "DIFFER" };
            table.row([what.as_str(), bundle.as_str(), weights.as_str(), verdict]);
        }
        writeln!(f)?;
        write!(f, "{table}")?;
    }
    for reason in not {
        writeln!(f, "not compared: {}", Escaped(reason))?;
    }
    if !compared.is_empty() || !not.is_empty() {
        writeln!(f)?;
    }
    Ok(())
}
