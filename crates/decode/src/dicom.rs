//! DICOM files: an image as the file wants it shown, its identity, and the values behind it.
//!
//! ```no_run
//! use medclip_decode::Limits;
//! use medclip_decode::dicom::{self, DicomOptions};
//!
//! let film = dicom::open("chest.dcm", &Limits::default(), &DicomOptions::default())?;
//! println!("{} × {}, {:?}", film.image.width(), film.image.height(), film.identity.view_position);
//! # Ok::<(), medclip_decode::DecodeError>(())
//! ```
//!
//! [`DicomOptions`] documents the order in which everything applies.
//!
//! # Files
//! With or without preamble and file meta information, in implicit or explicit little endian, explicit big endian or
//! deflated. Frames: uncompressed, deflated, RLE, JPEG (baseline, progressive, extended with 12 bits, lossless), JPEG-LS,
//! JPEG 2000 (feature `jpeg2000`), with high-throughput blocks too (feature `htj2k`), and JPEG XL (feature `jpegxl`).
//! Samples of 1, 8, 16 or 32 bits. Everything else is refused by a [`Problem`] that names it: floating-point pixels, video,
//! segmented palettes.
//!
//! # Odd files
//! An attribute or element that the picture does not need never costs the film, and one that it needs is never guessed in
//! silence: what was left out, assumed or read otherwise than written is a [`Note`] on the film.
//!
//! # Text
//! Identifiers are decoded by `SpecificCharacterSet`, with ISO 2022 escape sequences, to UTF-8. Bytes that the character set
//! does not have, control characters and marks that turn or hide text are written `\xHH`, a byte each; a backslash that would
//! read as the start of such an escape is written `\x5c`. So two different identifiers never become one, and the bytes of the
//! file can be had back. Spaces and zeros around a text are padding and left out.
//!
//! # Hostile files
//! The structure is read from the file's own bytes without copying, lengths are compared with what there is, sizes with the
//! [`Limits`], and a compressed frame's own header with the attributes, before anything is allocated or decoded. Only the
//! frame asked for is decoded. Panics of decoders become errors.

mod aspect;
mod charset;
mod codec;
mod color;
mod content;
mod element;
mod encoding;
mod film;
mod frame;
mod functional;
mod header;
mod layout;
mod modality;
mod nature;
mod need;
mod number;
mod option_text;
mod options;
mod parse;
mod problem;
mod samples;
mod syntax;
mod table;
mod text;
mod voi;
mod window;

use std::path::Path;

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use medclip_core::GrayImage;

use self::charset::CharacterSets;
use self::codec::Decoded;
use self::content::Content;
use self::element::DataSet;
use self::functional::Functional;
use self::layout::{Layout, Photometric};
use self::modality::Modality;
use self::samples::{Meaning, Samples};
use self::voi::Levels;
use crate::error::{DecodeError, Reason};
use crate::film::{Identity, PatientFields};
use crate::limits::Limits;
use crate::luma::Grayed;
use crate::note::Note;
use crate::read;

pub use film::{Rendering, Values};
pub use option_text::OptionError;
pub use options::{DicomOptions, LutBits, Voi};
pub use problem::Problem;
pub use voi::VoiUsed;
pub use window::{Window, WindowFunction};

/// Reads a DICOM file.
///
/// # Errors
/// [`DecodeError`] with the path and the [`Reason`].
pub fn open(
    path: impl AsRef<Path>,
    limits: &Limits,
    options: &DicomOptions,
) -> Result<Rendering, DecodeError> {
    let path = path.as_ref();
    let fail = |reason| DecodeError { path: path.to_owned(), reason };
    let bytes = read(path, limits).map_err(fail)?;
    from_bytes(&bytes, limits, options).map_err(fail)
}

/// Decodes a DICOM file held in memory.
///
/// # Errors
/// The [`Reason`].
pub fn from_bytes(bytes: &[u8], limits: &Limits, options: &DicomOptions) -> Result<Rendering, Reason> {
    let content = checked(bytes, limits)?;
    let (data, mut notes) = content.data_set()?;
    let layout = Layout::of(&data, limits, &mut notes)?;
    let decoded = decode(&content, &data, &layout, options.frame, limits)?;
    let functional = Functional::of(&data, options.frame)?;
    notes.extend(decoded.notes.iter().cloned());

    let spacing = aspect::spacing(&data, &functional, &mut notes);
    let (grayed, voi, inverted) = if layout.photometric.is_gray() {
        let inverted = options.presentation && is_inverted(&data, &layout, &mut notes);
        let (pixels, voi) = gray(&data, &functional, &layout, &decoded, options, inverted, &mut notes)?;
        (Grayed::gray(pixels), voi, inverted)
    } else {
        (color::gray(&decoded, &layout, &data, options.lut_bits, &mut notes)?, VoiUsed::Color, false)
    };
    let Grayed { pixels, chroma } = grayed;
    let image = GrayImage::new(layout.width, layout.height, pixels)
        .map_err(|error| Reason::Damaged(Box::new(error)))?;
    let image = if options.square_pixels {
        aspect::square(image, aspect::ratio(&data, spacing, &mut notes), limits)?
    } else {
        image
    };
    Ok(Rendering {
        image,
        chroma,
        identity: identity(&data, options.patient, &mut notes),
        photometric: data.text(tags::PHOTOMETRIC_INTERPRETATION).unwrap_or_default(),
        frames: layout.frames,
        stored_size: [layout.height, layout.width],
        bits_stored: layout.stored,
        voi,
        inverted,
        pixel_spacing: spacing,
        notes,
    })
}

/// The values of a frame after the modality's transformation, or its stored numbers where the options leave that out;
/// colors as they are stored. The options' other fields than `frame` and `modality` are of no concern.
///
/// # Errors
/// The [`Reason`].
pub fn values(bytes: &[u8], limits: &Limits, options: &DicomOptions) -> Result<Values, Reason> {
    let content = checked(bytes, limits)?;
    let (data, mut notes) = content.data_set()?;
    let layout = Layout::of(&data, limits, &mut notes)?;
    if layout.samples() as u64 * 8 > limits.max_memory_bytes {
        return Err(Reason::TooMuchMemory { limit: limits.max_memory_bytes });
    }
    let decoded = decode(&content, &data, &layout, options.frame, limits)?;
    let modality = if options.modality && layout.photometric.is_gray() {
        let functional = Functional::of(&data, options.frame)?;
        Modality::read(&data, &functional, layout.signed, options.lut_bits, &mut notes)?
    } else {
        Modality::IDENTITY
    };
    let meaning = Meaning::new(&layout, decoded.precision);
    let data = decoded.samples.patterns().map(|pattern| modality.value(meaning.number(pattern))).collect();
    Ok(Values { width: layout.width, height: layout.height, samples: layout.photometric.samples(), data })
}

/// What a file says it is, without decoding it: also of objects without pixels.
///
/// # Errors
/// The [`Reason`].
pub fn describe(bytes: &[u8], limits: &Limits, patient: PatientFields) -> Result<Identity, Reason> {
    let content = checked(bytes, limits)?;
    let (data, mut notes) = content.data_set()?;
    Ok(identity(&data, patient, &mut notes))
}

pub(crate) use nature::holds_no_image;
pub(crate) use need::need;

pub(crate) fn is_dicom(start: &[u8]) -> bool {
    content::is_dicom(start)
}

fn checked<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Content<'a>, Reason> {
    if bytes.is_empty() {
        return Err(Reason::Empty);
    }
    if !is_dicom(bytes) {
        return Err(Reason::UnknownFormat { start: bytes[..bytes.len().min(8)].to_vec() });
    }
    Content::new(bytes, limits)
}

fn decode(
    content: &Content<'_>,
    data: &DataSet<'_>,
    layout: &Layout,
    frame: u32,
    limits: &Limits,
) -> Result<Decoded, Reason> {
    let compression = content.syntax.compression;
    let bytes = frame::find(data, layout, compression, frame)?;
    codec::decode(&bytes, layout, compression, limits)
}

/// Gray levels of a gray frame.
fn gray(
    data: &DataSet<'_>,
    functional: &Functional<'_, '_>,
    layout: &Layout,
    decoded: &Decoded,
    options: &DicomOptions,
    inverted: bool,
    notes: &mut Vec<Note>,
) -> Result<(Vec<u8>, VoiUsed), Reason> {
    let meaning = Meaning::new(layout, decoded.precision);
    let modality = if options.modality {
        Modality::read(data, functional, layout.signed, options.lut_bits, notes)?
    } else {
        Modality::IDENTITY
    };
    let range = modality.range(meaning.range());
    let padding = padding(data, layout, notes);
    let extremes = || extremes(decoded, meaning, &modality, padding);
    let (levels, used) = Levels::choose(options, data, functional, extremes, range, notes)?;
    let gray = |pattern: u32| {
        let gray = levels.gray(modality.value(meaning.number(pattern)));
        if inverted { 255 - gray } else { gray }
    };
    let pixels = match &decoded.samples {
        // As many pixels as patterns: each pattern is worked out once.
        Samples::Narrow(words) if words.len() > 1 << 15 => {
            let table: Vec<u8> = (0..=u16::MAX).map(|pattern| gray(u32::from(pattern))).collect();
            words.iter().map(|&word| table[usize::from(word)]).collect()
        }
        samples => samples.patterns().map(gray).collect(),
    };
    Ok((pixels, used))
}

/// Lowest and highest value of a frame without its padding; of a frame that is all padding, with it.
fn extremes(
    decoded: &Decoded,
    meaning: Meaning,
    modality: &Modality,
    padding: Option<(i64, i64)>,
) -> (f64, f64) {
    let numbers = || decoded.samples.patterns().map(|pattern| meaning.number(pattern));
    let is_padding = |number: &i64| padding.is_some_and(|(low, high)| (low..=high).contains(number));
    let span = |low_high: (f64, f64), value: f64| (low_high.0.min(value), low_high.1.max(value));
    let start = (f64::INFINITY, f64::NEG_INFINITY);
    let (low, high) =
        numbers().filter(|number| !is_padding(number)).map(|number| modality.value(number)).fold(start, span);
    if low <= high { (low, high) } else { numbers().map(|number| modality.value(number)).fold(start, span) }
}

/// Stored numbers that fill up the image.
fn padding(data: &DataSet<'_>, layout: &Layout, notes: &mut Vec<Note>) -> Option<(i64, i64)> {
    let mut number = |tag: Tag, attribute| {
        let Some(word) = data.word(tag) else {
            if data.bytes(tag).is_some() {
                notes.push(Note::AttributeIgnored { attribute, value: data.text(tag).unwrap_or_default() });
            }
            return None;
        };
        Some(if layout.signed { i64::from(word as i16) } else { i64::from(word) })
    };
    let value = number(tags::PIXEL_PADDING_VALUE, "PixelPaddingValue")?;
    let limit = number(tags::PIXEL_PADDING_RANGE_LIMIT, "PixelPaddingRangeLimit").unwrap_or(value);
    Some((value.min(limit), value.max(limit)))
}

/// Whether black and white are turned. Shapes other than the two of softcopy say nothing about that: they are of printers.
fn is_inverted(data: &DataSet<'_>, layout: &Layout, notes: &mut Vec<Note>) -> bool {
    let lowest_is_white = layout.photometric == Photometric::Monochrome1;
    let Some(shape) = data.text(tags::PRESENTATION_LUT_SHAPE) else { return lowest_is_white };
    if shape.eq_ignore_ascii_case("INVERSE") {
        return true;
    }
    if !shape.eq_ignore_ascii_case("IDENTITY") {
        let value = shape.chars().take(32).collect();
        notes.push(Note::AttributeIgnored { attribute: "PresentationLUTShape", value });
    } else if lowest_is_white {
        notes.push(Note::PolarityDisagrees);
    }
    lowest_is_white
}

fn identity(data: &DataSet<'_>, patient: PatientFields, notes: &mut Vec<Note>) -> Identity {
    let sets = CharacterSets::of(data, notes);
    // Ids are kept as they are; of codes, what a writer left behind their end is not.
    let patient_id = if patient.id { sets.text(data, tags::PATIENT_ID, "PatientID", notes) } else { None };
    let mut code = |tag, attribute| sets.code(data, tag, attribute, notes);
    let mut personal = |wanted: bool, tag, attribute| if wanted { code(tag, attribute) } else { None };
    let study_date = personal(patient.study_date, tags::STUDY_DATE, "StudyDate");
    let sex = personal(patient.sex, tags::PATIENT_SEX, "PatientSex");
    let age = personal(patient.age, tags::PATIENT_AGE, "PatientAge");
    Identity {
        sop_instance_uid: code(tags::SOP_INSTANCE_UID, "SOPInstanceUID"),
        sop_class_uid: code(tags::SOP_CLASS_UID, "SOPClassUID"),
        series_instance_uid: code(tags::SERIES_INSTANCE_UID, "SeriesInstanceUID"),
        study_instance_uid: code(tags::STUDY_INSTANCE_UID, "StudyInstanceUID"),
        patient_id,
        study_date,
        sex,
        age,
        modality: code(tags::MODALITY, "Modality"),
        body_part: code(tags::BODY_PART_EXAMINED, "BodyPartExamined"),
        view_position: code(tags::VIEW_POSITION, "ViewPosition"),
        patient_orientation: code(tags::PATIENT_ORIENTATION, "PatientOrientation"),
        presentation_intent: code(tags::PRESENTATION_INTENT_TYPE, "PresentationIntentType"),
        burned_in_annotation: code(tags::BURNED_IN_ANNOTATION, "BurnedInAnnotation"),
        image_type: code(tags::IMAGE_TYPE, "ImageType"),
    }
}
