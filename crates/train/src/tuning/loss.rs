//! Binary cross-entropy over what is known.

use candle_core::{Result, Tensor, bail};

/// Masked binary cross-entropy: `L = 1/n Σ [ log(1 + e^x) − y·x ]` over the `n` entries whose outcome is known.
///
/// Written as `max(x, 0) − y·x + log(1 + e^−|x|)`, which no logit overflows.
///
/// # Shapes
/// - `logits` x: `[films, findings]`
/// - `labels` y: `[films][findings]`; `None` has no part in the loss
/// - returns: scalar, in nats, mean over the known entries
/// # Errors
/// When the shapes differ or nothing is known.
pub fn masked_cross_entropy(logits: &Tensor, labels: &[&[Option<bool>]]) -> Result<Tensor> {
    let (films, findings) = logits.dims2()?;
    if labels.len() != films || labels.iter().any(|row| row.len() != findings) {
        bail!("{films}×{findings} logits and labels of {} films", labels.len());
    }
    let entries = labels.iter().flat_map(|row| row.iter());
    let known: Vec<f32> = entries.clone().map(|label| f32::from(label.is_some())).collect();
    let present: Vec<f32> = entries.map(|label| f32::from(*label == Some(true))).collect();
    let count = known.iter().sum::<f32>();
    if count == 0.0 {
        bail!("no known outcome among {films} films");
    }
    let matrix = |values| Tensor::from_vec(values, (films, findings), logits.device());
    let softplus = (logits.relu()? + (logits.abs()?.neg()?.exp()? + 1.0)?.log()?)?;
    let each = ((softplus * matrix(known)?)? - (logits * matrix(present)?)?)?;
    each.sum_all()? / f64::from(count)
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    const LABELS: [&[Option<bool>]; 2] = [&[Some(true), None, Some(false)], &[None, Some(false), None]];

    #[test]
    fn only_known_entries_count() {
        let loss = |values: [[f32; 3]; 2]| {
            let logits = Tensor::new(&values, &Device::Cpu).unwrap();
            masked_cross_entropy(&logits, &LABELS).unwrap().to_scalar::<f32>().unwrap()
        };
        // (log(1 + e^-2) + log(1 + e^-1) + log(1 + e^0.5)) / 3
        assert!((loss([[2.0, 9.0, -1.0], [-9.0, 0.5, 9.0]]) - 0.471_422).abs() < 1e-5);
        let unknown_moved = loss([[2.0, -70.0, -1.0], [50.0, 0.5, 0.0]]);
        assert_eq!(unknown_moved, loss([[2.0, 9.0, -1.0], [-9.0, 0.5, 9.0]]));
        assert!((loss([[-200.0, 0.0, 0.0], [0.0, 0.0, 0.0]]) - 67.128_76).abs() < 1e-3, "no overflow");
    }

    #[test]
    fn the_gradient_is_probability_minus_outcome() {
        let logits = Var::new(&[[2.0_f32, 9.0, 0.0], [-9.0, 0.0, -3.0]], &Device::Cpu).unwrap();
        let gradients = masked_cross_entropy(&logits, &LABELS).unwrap().backward().unwrap();
        let gradient = gradients.get(&logits).unwrap().to_vec2::<f32>().unwrap();
        let expected = [[-0.119_203 / 3.0, 0.0, 0.5 / 3.0], [0.0, 0.5 / 3.0, 0.0]];
        for (actual, expected) in gradient.iter().flatten().zip(expected.iter().flatten()) {
            assert!((actual - expected).abs() < 1e-5, "{gradient:?}");
        }
    }

    #[test]
    fn other_shapes_and_nothing_known_are_refused() {
        let logits = Tensor::zeros((2, 3), candle_core::DType::F32, &Device::Cpu).unwrap();
        assert!(masked_cross_entropy(&logits, &LABELS[..1]).is_err());
        assert!(masked_cross_entropy(&logits, &[&[None; 3], &[None; 3]]).is_err());
    }
}
