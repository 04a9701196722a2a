//! Gradients against central differences; `medclip-train` includes this file in its own tests.

use candle_core::{Device, Result, Tensor, Var};
use medclip_nn::{Tape, backward};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Compares the gradient of `Σ weights · f(inputs)` with central differences, entry by entry.
///
/// The step is 10⁻², so the comparison allows for the third-order term and for `f32` rounding: 2 % of the largest
/// entry. An operation without a backward pass has gradient zero or none and fails.
pub(crate) fn check(name: &str, inputs: &[Tensor], f: impl Fn(&mut Tape, &[Tensor]) -> Result<Tensor>) {
    const STEP: f32 = 1e-2;
    let vars: Vec<Var> = inputs.iter().map(|t| Var::from_tensor(t).unwrap()).collect();
    let tensors = |vars: &[Var]| vars.iter().map(|v| v.as_tensor().clone()).collect::<Vec<_>>();
    let run = |vars: &[Var]| {
        let mut tape = Tape::new();
        let output = f(&mut tape, &tensors(vars)).unwrap();
        tape.finish(&output).unwrap()
    };
    let output = run(&vars);
    let weights = random(output.dims(), 99);
    let objective = |vars: &[Var]| -> f64 {
        let product = (run(vars) * &weights).unwrap().flatten_all().unwrap();
        product.to_vec1::<f32>().unwrap().into_iter().map(f64::from).sum()
    };
    let gradients = backward(&(&output * &weights).unwrap().sum_all().unwrap()).unwrap();
    for (index, var) in vars.iter().enumerate() {
        let gradient = gradients.get(var).unwrap_or_else(|| panic!("{name}: input {index} has no gradient"));
        let gradient: Vec<f32> = gradient.flatten_all().unwrap().to_vec1().unwrap();
        let start: Vec<f32> = var.flatten_all().unwrap().to_vec1().unwrap();
        let set = |values: &[f32]| {
            var.set(&Tensor::from_slice(values, var.dims(), &Device::Cpu).unwrap()).unwrap();
        };
        let mut numeric = Vec::new();
        for entry in 0..start.len() {
            let mut moved = start.clone();
            moved[entry] = start[entry] + STEP;
            set(&moved);
            let above = objective(&vars);
            moved[entry] = start[entry] - STEP;
            set(&moved);
            let below = objective(&vars);
            numeric.push((above - below) / (2.0 * f64::from(STEP)));
        }
        set(&start);
        let largest = numeric.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        assert!(largest > 1e-3, "{name}: input {index} does not matter, the check would be empty");
        for (entry, (analytic, numeric)) in gradient.iter().zip(&numeric).enumerate() {
            assert!(
                (f64::from(*analytic) - numeric).abs() <= 0.02 * largest,
                "{name}: input {index} entry {entry}: backward {analytic}, differences {numeric}"
            );
        }
    }
}

pub(crate) fn random(shape: &[usize], seed: u64) -> Tensor {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| rng.random_range(-1.0..1.0)).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}
