//! What the attributes say about the pixels, checked against each other and the limits before any is decoded.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::element::DataSet;
use super::problem::Problem;
use crate::error::Reason;
use crate::limits::Limits;
use crate::note::Note;

/// Of ACR-NEMA, retired with it.
const RECOGNITION_CODE: Tag = Tag(0x0008, 0x0010);

/// Color models with a conversion to gray.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Photometric {
    /// The lowest value is white.
    Monochrome1,
    /// The lowest value is black.
    Monochrome2,
    Palette,
    Rgb,
    /// Luma and chroma at full range, chroma of every pixel or of every second.
    Ybr {
        halved: bool,
    },
    /// What JPEG 2000 makes of RGB; its decoder gives RGB back.
    YbrJpeg2000,
}

impl Photometric {
    pub(crate) const fn samples(self) -> u16 {
        match self {
            Self::Monochrome1 | Self::Monochrome2 | Self::Palette => 1,
            Self::Rgb | Self::Ybr { .. } | Self::YbrJpeg2000 => 3,
        }
    }

    pub(crate) const fn is_gray(self) -> bool {
        matches!(self, Self::Monochrome1 | Self::Monochrome2)
    }
}

/// Sizes and depths of all frames.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) frames: u32,
    pub(crate) photometric: Photometric,
    /// Samples of a color lie together, not those of a pixel.
    pub(crate) planar: bool,
    pub(crate) allocated: u16,
    pub(crate) stored: u16,
    pub(crate) high: u16,
    pub(crate) signed: bool,
}

impl Layout {
    pub(crate) fn of(data: &DataSet<'_>, limits: &Limits, notes: &mut Vec<Note>) -> Result<Self, Reason> {
        if data.get(tags::PIXEL_DATA).is_none() {
            return Err(no_pixels(data).into());
        }
        let required = |tag, name| data.word(tag).ok_or(Problem::Missing { attribute: name });
        let (height, width) = (required(tags::ROWS, "Rows")?, required(tags::COLUMNS, "Columns")?);
        for (attribute, value) in [("Rows", height), ("Columns", width)] {
            if value == 0 {
                return Err(Problem::Invalid { attribute, value: "0".into(), expected: "positive" }.into());
            }
        }
        let (width, height) = (u32::from(width), u32::from(height));
        let photometric = photometric(data, notes)?;
        let allocated = required(tags::BITS_ALLOCATED, "BitsAllocated")?;
        let mut assume = |attribute, value: Option<u16>, assumed: u16| {
            let value = value.map_or_else(String::new, |value| value.to_string());
            notes.push(Note::AttributeAssumed { attribute, value, assumed: assumed.to_string() });
            assumed
        };
        let stored = data.word(tags::BITS_STORED);
        let stored = stored.unwrap_or_else(|| assume("BitsStored", None, allocated));
        let high = data.word(tags::HIGH_BIT);
        if !matches!(allocated, 1 | 8 | 16 | 32) || !(1..=allocated).contains(&stored) {
            let high = high.unwrap_or(stored.wrapping_sub(1));
            return Err(Problem::Bits { allocated, stored, high }.into());
        }
        // Today's standard has one place for it, right above the stored bits.
        let high = high
            .filter(|&high| high < allocated && high + 1 >= stored)
            .unwrap_or_else(|| assume("HighBit", high, stored - 1));
        let signed = match data.word(tags::PIXEL_REPRESENTATION) {
            None => assume("PixelRepresentation", None, 0) != 0,
            Some(0) => false,
            Some(1) => true,
            Some(other) => return Err(invalid("PixelRepresentation", other, "0 or 1").into()),
        };
        let planar = match data.word(tags::PLANAR_CONFIGURATION) {
            None | Some(0) => false,
            Some(_) if photometric.samples() == 1 => false,
            Some(1) => true,
            Some(other) => return Err(invalid("PlanarConfiguration", other, "0 or 1").into()),
        };
        let layout = Self {
            width,
            height,
            frames: frames(data, notes),
            photometric,
            planar,
            allocated,
            stored,
            high,
            signed,
        };
        layout.check(limits)?;
        Ok(layout)
    }

    fn check(&self, limits: &Limits) -> Result<(), Reason> {
        let &Self { width, height, .. } = self;
        if self.pixels() as u64 > limits.max_pixels {
            return Err(Reason::TooManyPixels { width, height, limit: limits.max_pixels });
        }
        let sample_bytes = if self.allocated > 16 { 4 } else { 2 };
        if self.samples() as u64 * sample_bytes > limits.max_memory_bytes {
            return Err(Reason::TooMuchMemory { limit: limits.max_memory_bytes });
        }
        if self.photometric.samples() == 3 && self.allocated < 8
            || matches!(self.photometric, Photometric::Ybr { .. }) && self.allocated != 8
        {
            return Err(
                Problem::Bits { allocated: self.allocated, stored: self.stored, high: self.high }.into()
            );
        }
        Ok(())
    }

    /// Pixels of a frame.
    pub(crate) const fn pixels(&self) -> usize {
        self.width as usize * self.height as usize
    }

    /// Samples of a decoded frame.
    pub(crate) const fn samples(&self) -> usize {
        self.pixels() * self.photometric.samples() as usize
    }

    /// Columns × rows × samples, for messages.
    pub(crate) fn size(&self) -> String {
        format!("{}×{}×{}", self.width, self.height, self.photometric.samples())
    }
}

fn photometric(data: &DataSet<'_>, notes: &mut Vec<Note>) -> Result<Photometric, Problem> {
    let name = match data.text(tags::PHOTOMETRIC_INTERPRETATION) {
        Some(name) => name,
        // The standard before DICOM had no attribute for it.
        None if data.text(RECOGNITION_CODE).is_some_and(|code| code.starts_with("ACR-NEMA")) => {
            notes.push(Note::AttributeAssumed {
                attribute: "PhotometricInterpretation",
                value: String::new(),
                assumed: "MONOCHROME2".to_owned(),
            });
            "MONOCHROME2".to_owned()
        }
        None => return Err(Problem::missing("PhotometricInterpretation")),
    };
    let samples = data.word(tags::SAMPLES_PER_PIXEL);
    // Case and the marks between words tell nothing apart.
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let photometric = match letters.to_ascii_uppercase().as_str() {
        "MONOCHROME1" => Some(Photometric::Monochrome1),
        "MONOCHROME2" => Some(Photometric::Monochrome2),
        "PALETTECOLOR" => Some(Photometric::Palette),
        "RGB" => Some(Photometric::Rgb),
        "YBRFULL" => Some(Photometric::Ybr { halved: false }),
        "YBRFULL422" => Some(Photometric::Ybr { halved: true }),
        "YBRRCT" | "YBRICT" => Some(Photometric::YbrJpeg2000),
        _ => None,
    };
    let of_model = photometric.map(Photometric::samples);
    if let (Some(of_model), None) = (of_model, samples) {
        notes.push(Note::AttributeAssumed {
            attribute: "SamplesPerPixel",
            value: String::new(),
            assumed: of_model.to_string(),
        });
    }
    let samples = samples.or(of_model).unwrap_or(1);
    photometric
        .filter(|_| of_model == Some(samples))
        .ok_or_else(|| Problem::Photometric { name: name.chars().take(32).collect(), samples })
}

fn no_pixels(data: &DataSet<'_>) -> Problem {
    for (tag, attribute) in
        [(tags::FLOAT_PIXEL_DATA, "FloatPixelData"), (tags::DOUBLE_FLOAT_PIXEL_DATA, "DoubleFloatPixelData")]
    {
        if data.get(tag).is_some() {
            return Problem::FloatPixels { attribute };
        }
    }
    Problem::NoPixelData { modality: data.text(tags::MODALITY) }
}

/// `NumberOfFrames`; where it is no positive whole number, one frame.
fn frames(data: &DataSet<'_>, notes: &mut Vec<Note>) -> u32 {
    let Some(decimals) = data.decimals(tags::NUMBER_OF_FRAMES) else { return 1 };
    let whole = |number: &f64| number.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(number);
    let frames = decimals.values.first().copied().flatten().filter(whole);
    frames.map_or_else(
        || {
            notes.push(Note::AttributeAssumed {
                attribute: "NumberOfFrames",
                value: decimals.written.clone(),
                assumed: "1".to_owned(),
            });
            1
        },
        |frames| frames as u32,
    )
}

fn invalid(attribute: &'static str, value: u16, expected: &'static str) -> Problem {
    Problem::Invalid { attribute, value: value.to_string(), expected }
}
