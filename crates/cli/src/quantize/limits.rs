//! The limits of `--gate`.

use anyhow::{Context, bail};
use medclip_core::quantization::GateLimits;

/// `cosine=0.999,top1=0.99,auroc=0.005`: those that are named, the others as by default.
pub(super) fn parse(text: &str) -> anyhow::Result<GateLimits> {
    let mut limits = GateLimits::default();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').with_context(|| format!("{part:?} is not NAME=VALUE"))?;
        let number: f64 = value.parse().with_context(|| format!("{value:?} is no number"))?;
        if !(0.0..=1.0).contains(&number) {
            bail!("{name} is {value}, needs 0 to 1");
        }
        match name {
            "cosine" => limits.cosine = number,
            "top1" => limits.top1 = number,
            "auroc" => limits.auroc = number,
            _ => bail!("no limit is called {name:?}; there are cosine, top1, auroc"),
        }
    }
    Ok(limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_by_name_and_others_refused() {
        assert_eq!(parse("").unwrap(), GateLimits::default());
        let found = parse("cosine=0.99,auroc=0.01").unwrap();
        assert_eq!(found, GateLimits { cosine: 0.99, auroc: 0.01, ..GateLimits::default() });
        for wrong in ["cosine", "cosine=much", "cosine=2", "speed=1", "cosine=nan"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
