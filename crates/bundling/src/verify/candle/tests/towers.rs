//! Bundles on candle and on an engine.

use medclip_runtime::{Bundle, EngineKind, Precision};
use medclip_tests::tiny_bundle;

use crate::verify::{Evaluator, VerifyError, VerifyOptions, verify};

const BOTH: [Evaluator; 2] = [Evaluator::Engine(EngineKind::Tract), Evaluator::Candle];

fn options(precision: Precision) -> VerifyOptions {
    VerifyOptions { engines: BOTH.to_vec(), precision: precision.into() }
}

#[test]
fn candle_agrees_with_tract_on_a_bundle_and_reproduces_its_golden_embeddings() {
    let directory = tempfile::tempdir().unwrap();
    let bundle = Bundle::open(tiny_bundle(directory.path())).unwrap();
    let found = verify(&bundle, &options(Precision::Fp32), &mut ()).unwrap();
    assert!(found.within(), "{found:?}");
    assert_eq!(found.reference, "tract");
    assert_eq!(found.results.iter().map(|each| each.engine.as_str()).collect::<Vec<_>>(), ["candle"; 3]);
    assert!(found.self_tests[1].cosines.image > 0.999_999, "{:?}", found.self_tests);
}

#[test]
fn a_precision_that_candle_does_not_evaluate_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let bundle = Bundle::open(tiny_bundle(directory.path())).unwrap();
    let alone = |precision| super::super::Candle::open(&bundle, precision).err().unwrap().to_string();
    let refused = alone(Precision::Int8.into());
    assert!(refused.starts_with("candle evaluates fp32 and fp16, not int8"), "{refused}");
    assert!(alone(Precision::Fp16.into()).contains("no image tower in fp16"));
}

#[test]
fn a_single_referee_has_nothing_to_be_compared_with() {
    let directory = tempfile::tempdir().unwrap();
    let bundle = Bundle::open(tiny_bundle(directory.path())).unwrap();
    let alone = VerifyOptions { engines: vec![Evaluator::Candle], ..VerifyOptions::default() };
    assert!(matches!(
        verify(&bundle, &alone, &mut ()),
        Err(VerifyError::OneEngine { engine: Evaluator::Candle })
    ));
}
