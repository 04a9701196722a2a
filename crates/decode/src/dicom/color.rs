//! Color: secondary captures become gray.

use dicom_dictionary_std::tags;

use super::codec::Decoded;
use super::element::DataSet;
use super::layout::{Layout, Photometric};
use super::options::LutBits;
use super::problem::Problem;
use super::samples::Meaning;
use super::table::{LookupTable, bits_of};
use crate::luma::Grayed;
use crate::note::Note;

/// Gray levels of a color frame.
pub(crate) fn gray(
    decoded: &Decoded,
    layout: &Layout,
    data: &DataSet<'_>,
    bits: LutBits,
    notes: &mut Vec<Note>,
) -> Result<Grayed, Problem> {
    if layout.photometric == Photometric::Palette {
        return palette(decoded, layout, data, bits, notes);
    }
    let meaning = Meaning::new(layout, decoded.precision);
    let level = |pattern: u32| {
        let value = u64::from(meaning.unsigned(pattern));
        match layout.stored {
            8 => value as u8,
            more @ 9.. => (value >> (more - 8)) as u8,
            less => (value * 255 / ((1 << less) - 1)) as u8,
        }
    };
    let levels: Vec<u8> = decoded.samples.patterns().map(level).collect();
    let is_ybr = matches!(layout.photometric, Photometric::Ybr { .. }) && !decoded.rgb;
    Ok(levels.as_chunks().0.iter().map(|&pixel| if is_ybr { rgb(pixel) } else { pixel }).collect())
}

fn palette(
    decoded: &Decoded,
    layout: &Layout,
    data: &DataSet<'_>,
    bits: LutBits,
    notes: &mut Vec<Note>,
) -> Result<Grayed, Problem> {
    const NAME: &str = "palette";
    if data.get(tags::SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA).is_some() {
        return Err(Problem::Table { table: NAME, what: "it is segmented".to_owned() });
    }
    let table = |descriptor, entries| LookupTable::read(data, descriptor, entries, NAME, layout.signed);
    let tables = [
        table(tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA)?,
        table(
            tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        )?,
        table(tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA)?,
    ];
    let meaning = Meaning::new(layout, decoded.precision);
    let shifts = shifts(&tables, bits, notes)?;
    let highest = decoded.samples.patterns().map(|pattern| meaning.number(pattern)).max().unwrap_or(0);
    for table in &tables {
        table.reaches(highest as f64)?;
    }
    if let Some(short) = tables.iter().find(|table| !table.is_whole()) {
        notes.push(short.shortage());
    }
    let color = |pattern| {
        let number = meaning.number(pattern);
        [0, 1, 2].map(|channel: usize| (tables[channel].get(number) >> shifts[channel]) as u8)
    };
    Ok(decoded.samples.patterns().map(color).collect())
}

/// By how many bits the entries of each table are too wide for eight. Used bits are those of the three together: a table of a
/// color that the picture hardly has may use fewer.
fn shifts(tables: &[LookupTable; 3], bits: LutBits, notes: &mut Vec<Note>) -> Result<[u16; 3], Problem> {
    if bits == LutBits::Used {
        let used = bits_of(tables.iter().flat_map(LookupTable::entries));
        // Entries of up to eight bits are levels as they are.
        let shift = used.saturating_sub(8);
        if tables[0].declared().saturating_sub(8) != shift {
            tables[0].note_bits(used, notes);
        }
        return Ok([shift; 3]);
    }
    let [red, green, blue] = tables;
    let mut shift = |table: &LookupTable| Ok(table.bits(bits, notes)?.saturating_sub(8));
    Ok([shift(red)?, shift(green)?, shift(blue)?])
}

/// Luma and chroma of a frame become red, green and blue.
pub(crate) fn rgb_of_ybr(words: &[u16]) -> Vec<u16> {
    let pixels = words.as_chunks().0.iter();
    pixels.flat_map(|&[y, blue, red]| rgb([y as u8, blue as u8, red as u8]).map(u16::from)).collect()
}

/// ITU-R 601 at full range (PS3.3, C.7.6.3.1.2, `YBR_FULL`).
fn rgb([luma, blue, red]: [u8; 3]) -> [u8; 3] {
    let (luma, blue, red) = (f32::from(luma), f32::from(blue) - 128.0, f32::from(red) - 128.0);
    [luma + 1.402 * red, luma - 0.344_136 * blue - 0.714_136 * red, luma + 1.772 * blue]
        .map(|value| value.round().clamp(0.0, 255.0) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neutral_chroma_leaves_gray() {
        for level in [0, 17, 128, 255] {
            assert_eq!(rgb([level, 128, 128]), [level; 3]);
        }
        assert_eq!(rgb([76, 85, 255]), [254, 0, 0]);
        assert_eq!(rgb_of_ybr(&[76, 85, 255]), [254, 0, 0]);
    }
}
