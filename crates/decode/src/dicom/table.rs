//! Lookup tables: modality, values of interest, palettes.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::element::DataSet;
use super::problem::Problem;

/// Entries from a first value on; values beyond either end take the entry there.
#[derive(Debug, Clone)]
pub(crate) struct LookupTable {
    first: i64,
    entries: Vec<u16>,
    /// Bits of an entry.
    pub(crate) bits: u16,
}

impl LookupTable {
    /// The table of an item of a Modality or VOI LUT sequence. `signed`: whether the first value may be negative, where the
    /// file does not say.
    pub(crate) fn of_item(item: &DataSet<'_>, name: &'static str, signed: bool) -> Result<Self, Problem> {
        let signed = match item.get(tags::LUT_DESCRIPTOR).map(|element| element.vr) {
            Some([b'S', b'S']) => true,
            Some([b'U', b'S']) => false,
            _ => signed,
        };
        Self::read(item, tags::LUT_DESCRIPTOR, tags::LUT_DATA, name, signed)
    }

    /// The table of a descriptor and its data.
    pub(crate) fn read(
        data: &DataSet<'_>,
        descriptor: Tag,
        entries: Tag,
        name: &'static str,
        signed: bool,
    ) -> Result<Self, Problem> {
        let unusable = |what: String| Problem::Table { table: name, what };
        let Some(&[len, first, bits]) = data.words(descriptor).as_deref().and_then(<[u16]>::first_chunk)
        else {
            return Err(unusable("it has no descriptor of three numbers".to_owned()));
        };
        let len = if len == 0 { 1 << 16 } else { usize::from(len) };
        let first = if signed { i64::from(first as i16) } else { i64::from(first) };
        if !(1..=16).contains(&bits) {
            return Err(unusable(format!("its entries have {bits} bits")));
        }
        let bytes = data.bytes(entries).unwrap_or_default();
        let entries = if bytes.len() >= 2 * len {
            data.words(entries).unwrap_or_default().into_iter().take(len).collect()
        } else if bits <= 8 && bytes.len() >= len {
            bytes[..len].iter().map(|&byte| u16::from(byte)).collect()
        } else {
            return Err(unusable(format!("it has {} bytes for {len} entries", bytes.len())));
        };
        Ok(Self { first, entries, bits })
    }

    pub(crate) fn get(&self, value: i64) -> u16 {
        let last = self.entries.len() as i64 - 1;
        self.entries[(value - self.first).clamp(0, last) as usize]
    }

    /// Highest value that entries of so many bits can have.
    pub(crate) fn max(&self) -> f64 {
        f64::from(u16::MAX >> (16 - self.bits))
    }
}
