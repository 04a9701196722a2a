//! Runs an image graph in tract on given pixels, and times it; `tests/golden/full_size.py` calls it:
//!
//! `cargo run --release -p medclip-export --example tract -- GRAPH INPUTS OUTPUTS ROUNDS`

use std::error::Error;
use std::time::Instant;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use tract_onnx::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [graph, inputs, outputs, rounds] = arguments.as_slice() else {
        return Err("usage: tract GRAPH INPUTS OUTPUTS ROUNDS".into());
    };
    let rounds: usize = rounds.parse()?;
    let file = std::fs::read(inputs)?;
    let pixels = SafeTensors::deserialize(&file)?.tensor("pixel_values")?;
    let values: Vec<f32> =
        pixels.data().as_chunks().0.iter().map(|&value| f32::from_le_bytes(value)).collect();
    let pixels = Tensor::from_shape(pixels.shape(), &values)?;

    let start = Instant::now();
    let fact = InferenceFact::dt_shape(DatumType::F32, pixels.shape());
    let plan = onnx().model_for_path(graph)?.with_input_fact(0, fact)?.into_optimized()?.into_runnable()?;
    let load_ms = start.elapsed().as_secs_f64() * 1e3;
    let mut embeddings = plan.run(tvec![pixels.clone().into()])?;
    let mut times = Vec::new();
    for _ in 0..rounds.max(1) {
        let start = Instant::now();
        embeddings = plan.run(tvec![pixels.clone().into()])?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);

    let embeddings = embeddings.remove(0).into_tensor();
    let values = embeddings.try_as_plain_ram()?.as_slice::<f32>()?;
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let view = TensorView::new(Dtype::F32, embeddings.shape().to_vec(), &bytes)?;
    safetensors::serialize_to_file([("image_embeds", view)], None, outputs.as_ref())?;
    let report = format!(r#"{{"load_ms": {load_ms}, "median_ms": {}}}"#, times[times.len() / 2]);
    std::io::Write::write_all(&mut std::io::stdout(), report.as_bytes())?;
    Ok(())
}
