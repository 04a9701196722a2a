//! What the attributes say about the pixels, checked against each other and the limits before any is decoded.

use dicom_dictionary_std::tags;

use super::element::DataSet;
use super::problem::Problem;
use crate::error::Reason;
use crate::limits::Limits;

/// Colour models with a conversion to grey.
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

    pub(crate) const fn is_grey(self) -> bool {
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
    /// Samples of a colour lie together, not those of a pixel.
    pub(crate) planar: bool,
    pub(crate) allocated: u16,
    pub(crate) stored: u16,
    pub(crate) high: u16,
    pub(crate) signed: bool,
}

impl Layout {
    pub(crate) fn of(data: &DataSet<'_>, limits: &Limits) -> Result<Self, Reason> {
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
        let photometric = photometric(data)?;
        let allocated = required(tags::BITS_ALLOCATED, "BitsAllocated")?;
        let stored = data.word(tags::BITS_STORED).unwrap_or(allocated);
        let high = data.word(tags::HIGH_BIT).unwrap_or(stored.wrapping_sub(1));
        let bits_fit = stored >= 1 && high < allocated && high + 1 >= stored;
        if !matches!(allocated, 1 | 8 | 16 | 32) || !bits_fit {
            return Err(Problem::Bits { allocated, stored, high }.into());
        }
        let signed = match data.word(tags::PIXEL_REPRESENTATION) {
            None | Some(0) => false,
            Some(1) => true,
            Some(other) => return Err(invalid("PixelRepresentation", other, "0 or 1").into()),
        };
        let planar = match data.word(tags::PLANAR_CONFIGURATION) {
            None | Some(0) => false,
            Some(1) => photometric.samples() > 1,
            Some(other) => return Err(invalid("PlanarConfiguration", other, "0 or 1").into()),
        };
        let layout = Self {
            width,
            height,
            frames: frames(data)?,
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

fn photometric(data: &DataSet<'_>) -> Result<Photometric, Problem> {
    let name =
        data.text(tags::PHOTOMETRIC_INTERPRETATION).ok_or(Problem::missing("PhotometricInterpretation"))?;
    let samples = data.word(tags::SAMPLES_PER_PIXEL).unwrap_or(1);
    let photometric = match name.as_str() {
        "MONOCHROME1" => Some(Photometric::Monochrome1),
        "MONOCHROME2" => Some(Photometric::Monochrome2),
        "PALETTE COLOR" => Some(Photometric::Palette),
        "RGB" => Some(Photometric::Rgb),
        "YBR_FULL" => Some(Photometric::Ybr { halved: false }),
        "YBR_FULL_422" => Some(Photometric::Ybr { halved: true }),
        "YBR_RCT" | "YBR_ICT" => Some(Photometric::YbrJpeg2000),
        _ => None,
    };
    photometric
        .filter(|photometric| photometric.samples() == samples)
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

fn frames(data: &DataSet<'_>) -> Result<u32, Problem> {
    let Some(text) = data.text(tags::NUMBER_OF_FRAMES) else { return Ok(1) };
    match text.parse() {
        Ok(frames) if frames > 0 => Ok(frames),
        _ => Err(Problem::Invalid {
            attribute: "NumberOfFrames",
            value: text.chars().take(64).collect(),
            expected: "a positive whole number",
        }),
    }
}

fn invalid(attribute: &'static str, value: u16, expected: &'static str) -> Problem {
    Problem::Invalid { attribute, value: value.to_string(), expected }
}
