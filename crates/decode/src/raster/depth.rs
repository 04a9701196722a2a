//! Samples of 8 and 16 bits to gray levels.

use image::DynamicImage;

use super::options::Levels;
use crate::error::Reason;
use crate::luma::Grayed;
use crate::note::Note;

/// Decoded samples, without transparency.
enum Samples {
    Gray8(Vec<u8>),
    Gray16(Vec<u16>),
    Color8(Vec<[u8; 3]>),
    Color16(Vec<[u16; 3]>),
}

/// Gray levels, and what is unusual about the samples.
pub(super) fn gray(image: DynamicImage, levels: Levels) -> Result<(Grayed, Option<Note>), Reason> {
    // Most films in color: nothing is spread, so that one pass is enough.
    if let (DynamicImage::ImageRgb8(image), Levels::File | Levels::FullRange) = (&image, levels) {
        return Ok((image.pixels().map(|pixel| pixel.0).collect(), None));
    }
    let samples = samples(image)?;
    let spread = Spread::choose(&samples, levels)?;
    let note = match spread {
        Spread::Upper { used } if used < u16::BITS && matches!(levels, Levels::File) => {
            Some(Note::UnusedBits { used })
        }
        _ => None,
    };
    let grayed = match samples {
        Samples::Gray8(samples) if matches!(spread, Spread::AsIs) => Grayed::gray(samples),
        Samples::Gray8(samples) => {
            Grayed::gray(samples.into_iter().map(|sample| spread.level(sample.into())).collect())
        }
        Samples::Gray16(samples) => {
            Grayed::gray(samples.into_iter().map(|sample| spread.level(sample)).collect())
        }
        Samples::Color8(pixels) => {
            pixels.into_iter().map(|pixel| pixel.map(|s| spread.level(s.into()))).collect()
        }
        Samples::Color16(pixels) => pixels.into_iter().map(|pixel| pixel.map(|s| spread.level(s))).collect(),
    };
    Ok((grayed, note))
}

/// How samples become gray levels.
#[derive(Clone, Copy)]
enum Spread {
    /// 8 bits.
    AsIs,
    /// The upper eight of the lower `used` bits.
    Upper {
        used: u32,
    },
    Line {
        low: u16,
        high: u16,
    },
    #[cfg(feature = "dicom")]
    Window(crate::dicom::Window),
}

impl Spread {
    fn choose(samples: &Samples, levels: Levels) -> Result<Self, Reason> {
        let is_deep = matches!(samples, Samples::Gray16(_) | Samples::Color16(_));
        Ok(match levels {
            Levels::File | Levels::FullRange if !is_deep => Self::AsIs,
            Levels::File => Self::Upper { used: samples.used().max(u8::BITS) },
            Levels::FullRange => Self::Upper { used: u16::BITS },
            Levels::MinMax => {
                let (low, high) = samples.extremes();
                Self::Line { low, high }
            }
            #[cfg(feature = "dicom")]
            Levels::Window(window) => Self::Window(window.check()?),
            Levels::Numbered { what, index } => return Err(Reason::NotNumbered { what, index }),
        })
    }

    fn level(self, sample: u16) -> u8 {
        match self {
            Self::AsIs => sample as u8,
            Self::Upper { used } => (sample >> (used - u8::BITS)) as u8,
            // An image of one value is black.
            Self::Line { low, high } if low >= high => 0,
            Self::Line { low, high } => {
                (f64::from(sample - low) / f64::from(high - low) * 255.0).round() as u8
            }
            #[cfg(feature = "dicom")]
            Self::Window(window) => (window.level(sample.into()) * 255.0).round() as u8,
        }
    }
}

impl Samples {
    /// Lowest and highest sample.
    fn extremes(&self) -> (u16, u16) {
        fn of(samples: impl Iterator<Item = u16>) -> (u16, u16) {
            samples.fold((u16::MAX, 0), |(low, high), sample| (low.min(sample), high.max(sample)))
        }
        match self {
            Self::Gray8(samples) => of(samples.iter().map(|&sample| sample.into())),
            Self::Gray16(samples) => of(samples.iter().copied()),
            Self::Color8(pixels) => of(pixels.iter().flatten().map(|&sample| sample.into())),
            Self::Color16(pixels) => of(pixels.iter().flatten().copied()),
        }
    }

    /// Bits that the highest sample takes.
    fn used(&self) -> u32 {
        u16::BITS - self.extremes().1.leading_zeros()
    }
}

fn samples(image: DynamicImage) -> Result<Samples, Reason> {
    Ok(match image {
        DynamicImage::ImageLuma8(image) => Samples::Gray8(image.into_raw()),
        DynamicImage::ImageLumaA8(image) => Samples::Gray8(image.pixels().map(|p| p.0[0]).collect()),
        DynamicImage::ImageLuma16(image) => Samples::Gray16(image.into_raw()),
        DynamicImage::ImageLumaA16(image) => Samples::Gray16(image.pixels().map(|p| p.0[0]).collect()),
        DynamicImage::ImageRgb8(image) => Samples::Color8(image.pixels().map(|p| p.0).collect()),
        DynamicImage::ImageRgba8(image) => {
            Samples::Color8(image.pixels().map(|p| [p.0[0], p.0[1], p.0[2]]).collect())
        }
        DynamicImage::ImageRgb16(image) => Samples::Color16(image.pixels().map(|p| p.0).collect()),
        DynamicImage::ImageRgba16(image) => {
            Samples::Color16(image.pixels().map(|p| [p.0[0], p.0[1], p.0[2]]).collect())
        }
        _ => return Err(Reason::Unsupported { what: "floating-point samples".to_owned() }),
    })
}
