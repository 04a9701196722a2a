//! The resize and the padding against Pillow, bit for bit. `golden/resample.py` wrote what is expected.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail a test")]

use medclip_core::preprocess::resample::resize;
use medclip_core::{GrayImage, PreprocessConfig, Preprocessor, Resample};
use medclip_files::sha256;
use proptest::prelude::*;

#[test]
fn agrees_with_pillow_to_the_bit() {
    let golden = include_str!("golden/resample.txt");
    assert!(golden.lines().count() > 100);
    for line in golden.lines() {
        let [filter, numbers @ .., digest] = &line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let numbers: Vec<u32> = numbers.iter().map(|number| number.parse().unwrap()).collect();
        let &[least, width, height, new_width, new_height, contrast] = &numbers[..] else { panic!("{line}") };
        let filter = if *filter == "bicubic" { Resample::Bicubic } else { Resample::Bilinear };
        let source = image(width, height, contrast == 1);
        let result = if least == 0 {
            resize(&source, new_width, new_height, filter)
        } else {
            let config = PreprocessConfig {
                pad_min_side: least,
                resample: filter,
                ..PreprocessConfig::medclip(new_width as usize, 1)
            };
            Preprocessor::new(config).unwrap().resized(&source)
        };
        assert_eq!([result.width(), result.height()], [new_width, new_height], "{line}");
        assert_eq!(sha256(result.pixels()), *digest, "{line}");
    }
}

/// The images of `resample.py`.
fn image(width: u32, height: u32, contrast: bool) -> GrayImage {
    let offset = width.wrapping_mul(65_537).wrapping_add(height);
    let pixel = |index: u32| {
        let value = index.wrapping_add(offset).wrapping_mul(2_654_435_761);
        let value = (value ^ (value >> 15)).wrapping_mul(2_246_822_519);
        match (value >> 24) as u8 {
            level if !contrast => level,
            0..128 => 0,
            _ => 255,
        }
    };
    GrayImage::new(width, height, (0..width * height).map(pixel).collect()).unwrap()
}

fn filters() -> impl Strategy<Value = Resample> {
    prop_oneof![Just(Resample::Bicubic), Just(Resample::Bilinear)]
}

proptest! {
    #[test]
    fn padding_first_or_while_resizing_is_the_same(
        [width, height] in [1..40_u32, 1..40],
        least in 1..50_u32,
        side in 1..40_usize,
        resample in filters(),
    ) {
        let source = image(width, height, false);
        let square = least.max(width).max(height);
        let mut canvas = vec![0; (square * square) as usize];
        for (y, row) in source.pixels().chunks(width as usize).enumerate() {
            let start = ((square - height) / 2 + y as u32) * square + (square - width) / 2;
            canvas[start as usize..][..width as usize].copy_from_slice(row);
        }
        let canvas = GrayImage::new(square, square, canvas).unwrap();
        let config = PreprocessConfig { pad_min_side: least, resample, ..PreprocessConfig::medclip(side, 1) };
        let at_once = Preprocessor::new(config).unwrap().resized(&source);
        prop_assert_eq!(at_once, resize(&canvas, side as u32, side as u32, resample));
    }

    #[test]
    fn a_flat_image_stays_flat(
        [width, height, new_width, new_height] in [1..60_u32, 1..60, 1..60, 1..60],
        level: u8,
        filter in filters(),
    ) {
        let flat = GrayImage::new(width, height, vec![level; (width * height) as usize]).unwrap();
        let resized = resize(&flat, new_width, new_height, filter);
        prop_assert!(resized.pixels().iter().all(|&pixel| pixel == level));
    }
}
