//! Lookup tables: modality, values of interest, palettes.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::element::DataSet;
use super::options::LutBits;
use super::problem::Problem;
use crate::note::Note;

/// Entries from a first value on; values beyond either end take the entry there.
#[derive(Debug, Clone)]
pub(crate) struct LookupTable {
    first: i64,
    entries: Vec<u16>,
    /// Which it is, for messages.
    name: &'static str,
    /// Bits of an entry by the descriptor; not always possible ones.
    declared: u16,
    /// Entries that the descriptor promises.
    promised: usize,
}

impl LookupTable {
    /// Whether an item of a sequence holds no table at all: neither descriptor nor entries.
    pub(crate) fn is_absent(item: &DataSet<'_>) -> bool {
        item.bytes(tags::LUT_DESCRIPTOR).is_none() && item.bytes(tags::LUT_DATA).is_none()
    }

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
        let Some(&[len, first, declared]) = data.words(descriptor).as_deref().and_then(<[u16]>::first_chunk)
        else {
            return Err(unusable("it has no descriptor of three numbers".to_owned()));
        };
        let promised = if len == 0 { 1 << 16 } else { usize::from(len) };
        let first = if signed { i64::from(first as i16) } else { i64::from(first) };
        let bytes = data.bytes(entries).unwrap_or_default();
        // Eight-bit entries may lie in bytes, also where the descriptor claims more bits: then there are as many bytes as entries.
        let in_bytes = bytes.len() >= promised
            && bytes.len() < 2 * promised
            && (declared <= 8 || bytes.len() == promised.next_multiple_of(2) || bytes.len() == promised);
        let entries: Vec<u16> = if in_bytes {
            bytes[..promised].iter().map(|&byte| u16::from(byte)).collect()
        } else {
            data.words(entries).unwrap_or_default().into_iter().take(promised).collect()
        };
        if entries.is_empty() {
            return Err(unusable(format!("it has {} bytes for {promised} entries", bytes.len())));
        }
        Ok(Self { first, entries, name, declared, promised })
    }

    pub(crate) fn get(&self, value: i64) -> u16 {
        let last = self.entries.len() as i64 - 1;
        self.entries[value.saturating_sub(self.first).clamp(0, last) as usize]
    }

    /// Whether the descriptor promises no more entries than there are.
    pub(crate) const fn is_whole(&self) -> bool {
        self.entries.len() == self.promised
    }

    /// Notes that there are fewer.
    pub(crate) const fn shortage(&self) -> Note {
        Note::TableShort { table: self.name, promised: self.promised, actual: self.entries.len() }
    }

    /// Fails unless the entries of all values up to this are there.
    pub(crate) fn reaches(&self, highest: f64) -> Result<(), Problem> {
        let last = self.first + self.entries.len() as i64 - 1;
        if self.is_whole() || highest <= last as f64 {
            return Ok(());
        }
        let what =
            format!("it has {} of {} entries, too few for this frame", self.entries.len(), self.promised);
        Err(Problem::Table { table: self.name, what })
    }

    /// Bits of an entry. A table whose descriptor claims more than its entries use, or fewer, is noted.
    ///
    /// # Errors
    /// [`Problem::Table`] where the descriptor is asked for and has an impossible number.
    pub(crate) fn bits(&self, choice: LutBits, notes: &mut Vec<Note>) -> Result<u16, Problem> {
        let used = bits_of(self.entries.iter().copied());
        if choice == LutBits::Used {
            self.note_bits(used, notes);
            return Ok(used);
        }
        if (1..=16).contains(&self.declared) {
            return Ok(self.declared);
        }
        let what = format!("its entries have {} bits", self.declared);
        Err(Problem::Table { table: self.name, what })
    }

    /// Notes that its entries are taken to have other bits than the descriptor claims.
    pub(crate) fn note_bits(&self, used: u16, notes: &mut Vec<Note>) {
        if used != self.declared {
            notes.push(Note::LutBits { table: self.name, declared: self.declared, used });
        }
    }

    /// Bits of an entry as the descriptor claims them.
    pub(crate) const fn declared(&self) -> u16 {
        self.declared
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = u16> + '_ {
        self.entries.iter().copied()
    }
}

/// Bits that the largest of some entries takes, at least one.
pub(crate) fn bits_of(entries: impl Iterator<Item = u16>) -> u16 {
    let largest = entries.max().unwrap_or(0).max(1);
    (u16::BITS - largest.leading_zeros()) as u16
}

/// Highest value that entries of so many bits can have.
pub(crate) fn highest(bits: u16) -> f64 {
    f64::from(u16::MAX >> 16_u16.saturating_sub(bits).min(15))
}
