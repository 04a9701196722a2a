//! A tower in a further precision, in words.

use medclip_core::precision::Precision;
use medclip_core::quantization::{GateReport, QuantizedTower};

/// What a tower takes and costs, on one line.
pub fn describe_quantized(quantized: &QuantizedTower) -> String {
    let QuantizedTower { tower, precision, bytes: [from, to], kept, layers, gate, .. } = quantized;
    let GateReport { inputs, least_cosine, mean_cosine, top1, auroc, .. } = gate;
    let share = 100.0 * *to as f64 / (*from).max(1) as f64;
    let losses = auroc.iter().filter(|class| class.is_decisive()).map(|class| class.full - class.quantized);
    let layers = (*precision == Precision::Int8)
        .then(|| format!("; {layers} layers of 8 bits, {} of single precision", kept.len()));
    let parts = [
        Some(format!("{tower} {precision}: {:.1} MB, {share:.0} % of its size", *to as f64 / 1e6)),
        layers,
        Some(format!("; on {inputs} inputs cosine {least_cosine:.5} at least, {mean_cosine:.5} on average")),
        top1.map(|top1| format!(", same first class for {:.2} %", 100.0 * top1)),
        losses.reduce(f64::max).map(|loss| format!(", AUROC loses {loss:.4} at most")),
    ];
    parts.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use medclip_core::precision::TowerKind;
    use medclip_core::quantization::{ClassAuroc, GateLimits};

    use super::*;

    #[test]
    fn only_what_was_measured_is_told() {
        let class = |positives, quantized| ClassAuroc {
            class: "Edema".to_owned(),
            positives,
            negatives: 10,
            full: 0.9,
            quantized,
        };
        let mut tower = QuantizedTower {
            tower: TowerKind::Image,
            precision: Precision::Int8,
            medclip: "0".to_owned(),
            form: None,
            source_sha256: String::new(),
            graph_sha256: String::new(),
            bytes: [4_000_000, 1_000_000],
            calibration: None,
            layers: 7,
            kept: Vec::new(),
            gate: GateReport {
                inputs: 3,
                limits: GateLimits::default(),
                least_cosine: 0.999,
                mean_cosine: 0.9999,
                top1: Some(0.995),
                auroc: vec![class(9, 0.1), class(10, 0.896)],
            },
            golden_cosine: 1.0,
        };
        assert_eq!(
            describe_quantized(&tower),
            "image int8: 1.0 MB, 25 % of its size; 7 layers of 8 bits, 0 of single precision; on 3 inputs cosine 0.99900 at \
             least, 0.99990 on average, same first class for 99.50 %, AUROC loses 0.0040 at most"
        );
        (tower.precision, tower.gate.top1) = (Precision::Fp16, None);
        tower.gate.auroc.clear();
        assert_eq!(
            describe_quantized(&tower),
            "image fp16: 1.0 MB, 25 % of its size; on 3 inputs cosine 0.99900 at least, 0.99990 on average"
        );
    }
}
