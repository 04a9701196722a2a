//! An ONNX file without its weights, read past them.

use std::io::{self, BufRead, Read, Seek};

use prost::encoding::{WireType, encode_key, encode_varint};

/// Stored values of at least this many bytes stay in the file.
const LARGE: u64 = 1024;

/// The model of an ONNX file in which large initializers are external data, to be found at an `offset` and with a `length`
/// in the very same file; their `location` is `.`. Everything else is as it was.
///
/// Nothing of the weights is held in memory meanwhile, so it costs little however large the file is.
///
/// # Errors
/// What the file gives, and [`io::ErrorKind::InvalidData`] for what is not protobuf.
///
/// # Source
/// Fields by number as in `onnx/onnx.proto`: 7 of `ModelProto`, 5 of `GraphProto`; 9, 13 and 14 of `TensorProto`.
pub fn outline(file: &mut (impl BufRead + Seek)) -> io::Result<Vec<u8>> {
    let end = file.seek(io::SeekFrom::End(0))?;
    file.rewind()?;
    let mut reader = Reader { file, at: 0 };
    let mut model = Vec::new();
    reader.message(end, Message::Model, &mut model)?;
    Ok(model)
}

/// Location that external data of an [`outline`] names; whoever reads it knows the file.
pub const LOCATION: &str = ".";

/// The messages on the way to an initializer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Message {
    Model,
    Graph,
    Tensor,
}

impl Message {
    /// What a field of it is, where initializers are in it.
    const fn field(self, number: u32) -> Option<Self> {
        match (self, number) {
            (Self::Model, 7) => Some(Self::Graph),
            (Self::Graph, 5) => Some(Self::Tensor),
            _ => None,
        }
    }

    const fn is_values(self, number: u32) -> bool {
        matches!((self, number), (Self::Tensor, 9))
    }
}

struct Reader<'a, F> {
    file: &'a mut F,
    /// Bytes read or skipped so far.
    at: u64,
}

impl<F: BufRead + Seek> Reader<'_, F> {
    /// Copies a message that ends at `end`.
    fn message(&mut self, end: u64, message: Message, out: &mut Vec<u8>) -> io::Result<()> {
        while self.at < end {
            let key = self.varint()?;
            let number = u32::try_from(key >> 3).map_err(|_| malformed())?;
            let wire = WireType::try_from(key & 7).map_err(|_| malformed())?;
            match wire {
                WireType::Varint => {
                    encode_key(number, wire, out);
                    encode_varint(self.varint()?, out);
                }
                WireType::ThirtyTwoBit | WireType::SixtyFourBit => {
                    encode_key(number, wire, out);
                    self.copy(if wire == WireType::ThirtyTwoBit { 4 } else { 8 }, out)?;
                }
                WireType::LengthDelimited => {
                    let length = self.varint()?;
                    if length > end.saturating_sub(self.at) {
                        return Err(malformed());
                    }
                    self.field(number, length, message, out)?;
                }
                WireType::StartGroup | WireType::EndGroup => return Err(malformed()),
            }
        }
        if self.at == end { Ok(()) } else { Err(malformed()) }
    }

    fn field(&mut self, number: u32, length: u64, message: Message, out: &mut Vec<u8>) -> io::Result<()> {
        if message.is_values(number) && length >= LARGE {
            external(self.at, length, out);
            self.at += length;
            return self.file.seek_relative(i64::try_from(length).map_err(|_| malformed())?);
        }
        let mut contents = Vec::new();
        match message.field(number) {
            Some(inner) => self.message(self.at + length, inner, &mut contents)?,
            None => self.copy(length, &mut contents)?,
        }
        write(number, &contents, out);
        Ok(())
    }

    fn copy(&mut self, length: u64, out: &mut Vec<u8>) -> io::Result<()> {
        self.at += length;
        // Not reserved beforehand: a length is a claim until the bytes are there.
        let copied = self.file.take(length).read_to_end(out)?;
        if copied as u64 == length { Ok(()) } else { Err(malformed()) }
    }

    fn varint(&mut self) -> io::Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let mut byte = [0];
            self.file.read_exact(&mut byte).map_err(|_| malformed())?;
            self.at += 1;
            let [byte] = byte;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(malformed())
    }
}

/// `external_data` and `data_location` in place of `raw_data`.
fn external(offset: u64, length: u64, out: &mut Vec<u8>) {
    let values =
        [("location", LOCATION.to_owned()), ("offset", offset.to_string()), ("length", length.to_string())];
    for (key, value) in values {
        let mut entry = Vec::new();
        write(1, key.as_bytes(), &mut entry);
        write(2, value.as_bytes(), &mut entry);
        write(13, &entry, out);
    }
    encode_key(14, WireType::Varint, out);
    encode_varint(1, out);
}

fn write(number: u32, contents: &[u8], out: &mut Vec<u8>) {
    encode_key(number, WireType::LengthDelimited, out);
    encode_varint(contents.len() as u64, out);
    out.extend_from_slice(contents);
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "not a protobuf message")
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use prost::Message as _;

    use super::*;
    use crate::ModelProto;

    /// A model with an initializer `small` of 4 bytes and `large` of `LARGE`, and a metadata entry behind the graph.
    fn file() -> Vec<u8> {
        let mut graph = Vec::new();
        for (name, bytes) in [("small", 4), ("large", LARGE as usize)] {
            let mut tensor = Vec::new();
            encode_key(2, WireType::Varint, &mut tensor);
            encode_varint(1, &mut tensor);
            write(8, name.as_bytes(), &mut tensor);
            write(9, &vec![7; bytes], &mut tensor);
            write(5, &tensor, &mut graph);
        }
        let mut entry = Vec::new();
        write(1, b"key", &mut entry);
        write(2, b"value", &mut entry);
        let mut model = Vec::new();
        encode_key(1, WireType::Varint, &mut model);
        encode_varint(9, &mut model);
        write(7, &graph, &mut model);
        write(14, &entry, &mut model);
        model
    }

    #[test]
    fn large_values_stay_in_the_file_and_the_rest_is_the_same() {
        let file = file();
        let outline = outline(&mut Cursor::new(&file)).unwrap();
        assert!((outline.len() as u64) < LARGE);
        let mut model = ModelProto::decode(&outline[..]).unwrap();
        let large = &mut model.graph.as_mut().unwrap().initializer[1];
        let keys: Vec<String> = large.external_data.drain(..).filter_map(|entry| entry.key).collect();
        assert_eq!(keys, ["location", "offset", "length"]);
        assert_eq!((large.data_location.take(), large.raw_data.take()), (Some(1), None));
        large.raw_data = Some(vec![7; LARGE as usize]);
        assert_eq!(model, ModelProto::decode(&file[..]).unwrap(), "but for where its values are");
        let text = String::from_utf8_lossy(&outline);
        assert!(text.contains("\u{7}\u{7}\u{7}\u{7}"), "small values are copied");
        let offset = file.windows(LARGE as usize).position(|run| run.iter().all(|&byte| byte == 7)).unwrap();
        assert!(
            text.contains(&format!("offset\u{12}{}{offset}", char::from(offset.to_string().len() as u8)))
        );
    }

    #[test]
    fn what_is_cut_short_or_lies_about_a_length_is_refused() {
        let file = file();
        for length in 1..file.len() {
            // A cut between two fields is a shorter message.
            if let Ok(outline) = outline(&mut Cursor::new(&file[..length])) {
                assert!(ModelProto::decode(&outline[..]).is_ok(), "cut at {length}");
            }
        }
        assert!(outline(&mut Cursor::new(&file[..file.len() / 2])).is_err());
        let endless = [0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        assert!(outline(&mut Cursor::new(&endless)).is_err());
        assert!(outline(&mut Cursor::new(&[0x0b])).is_err(), "a group");
    }
}
