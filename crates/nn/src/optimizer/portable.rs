//! Updates on any device, made of candle's operations.

use candle_core::{DType, Result, Tensor, Var};

use super::rates::Rates;

/// Running means of the gradient and of its square.
#[derive(Debug, Clone)]
pub(super) struct DeviceMoments {
    pub(super) first: Tensor,
    pub(super) second: Tensor,
}

/// Moves a parameter and its moments.
pub(super) fn update(
    parameter: &Var,
    gradient: &Tensor,
    moments: &mut DeviceMoments,
    rates: &Rates,
) -> Result<()> {
    let Rates { clip, beta1, beta2, step, inv_sqrt_correction2, eps, shrink } = *rates;
    let gradient = gradient.affine(clip, 0.0)?;
    let first = (moments.first.affine(beta1, 0.0)? + gradient.affine(1.0 - beta1, 0.0)?)?;
    let second = (moments.second.affine(beta2, 0.0)? + gradient.sqr()?.affine(1.0 - beta2, 0.0)?)?;
    let denominator = second.sqrt()?.affine(inv_sqrt_correction2, eps)?;
    let moved = (parameter.detach().affine(shrink, 0.0)? - (&first / denominator)?.affine(step, 0.0)?)?;
    parameter.set(&moved)?;
    *moments = DeviceMoments { first, second };
    Ok(())
}

/// `Σ g²` of each, with one wait for the device.
pub(super) fn squared_norms(gradients: &[Tensor]) -> Result<Vec<f64>> {
    if gradients.is_empty() {
        return Ok(Vec::new());
    }
    let sums = gradients.iter().map(|gradient| gradient.sqr()?.sum_all()).collect::<Result<Vec<_>>>()?;
    Tensor::stack(&sums, 0)?.to_dtype(DType::F64)?.to_vec1()
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::super::config::AdamWConfig;
    use super::super::kernel::{self, HostMoments};
    use super::*;

    #[test]
    fn both_ways_move_a_parameter_alike() {
        let values =
            |seed: u64| -> Vec<f32> { (0..35).map(|i| ((i * 7 + seed * 13) as f32 * 0.37).sin()).collect() };
        let start = Tensor::from_vec(values(1), (5, 7), &Device::Cpu).unwrap();
        let (one, other) = (Var::from_tensor(&start).unwrap(), Var::from_tensor(&start).unwrap());
        let mut host = HostMoments { first: vec![0.0; 35], second: vec![0.0; 35] };
        let zeros = start.zeros_like().unwrap();
        let mut device = DeviceMoments { first: zeros.clone(), second: zeros };
        let config = AdamWConfig { weight_decay: 0.1, ..AdamWConfig::default() };
        for steps in 1..=4 {
            let gradient = Tensor::from_vec(values(steps + 1), (5, 7), &Device::Cpu).unwrap();
            let rates = Rates::new(&config, steps, 0.5, 1e-2, true);
            kernel::update(&one, &gradient, &mut host, &rates).unwrap();
            update(&other, &gradient, &mut device, &rates).unwrap();
            let norms = squared_norms(std::slice::from_ref(&gradient)).unwrap();
            assert!((norms[0] - kernel::squared_norm(&gradient).unwrap()).abs() < 1e-5);
        }
        let moved = (one.as_tensor() - &start).unwrap().abs().unwrap().mean_all().unwrap();
        assert!(moved.to_scalar::<f32>().unwrap() > 1e-3, "nothing moved");
        let apart = (one.as_tensor() - other.as_tensor()).unwrap().abs().unwrap().max_all().unwrap();
        assert!(apart.to_scalar::<f32>().unwrap() < 1e-6);
    }
}
