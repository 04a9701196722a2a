//! Makes DICOM files, right and wrong ones.
#![allow(dead_code, reason = "each test binary uses a part of it")]

pub mod codestream;
pub mod cost;
pub mod jpeg;
pub mod packets;

pub const EXPLICIT: &str = "1.2.840.10008.1.2.1";
pub const IMPLICIT: &str = "1.2.840.10008.1.2";
pub const BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";
pub const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
pub const RLE: &str = "1.2.840.10008.1.2.5";
pub const JPEG: &str = "1.2.840.10008.1.2.4.50";

/// An element's value.
#[derive(Debug, Clone)]
pub enum Value {
    Text(String),
    /// `US` or `SS`.
    Words(Vec<u16>),
    Bytes(Vec<u8>),
    Items(Vec<Elements>),
    /// Compressed frames behind an empty offset table.
    Fragments(Vec<Vec<u8>>),
    /// An element as it is to lie in the file, its header with it.
    Whole(Vec<u8>),
}

pub type Elements = Vec<(u32, [u8; 2], Value)>;

/// A data set under construction; elements come out in the order of their tags.
#[derive(Debug, Clone)]
pub struct Builder {
    pub syntax: &'static str,
    pub elements: Elements,
}

impl Builder {
    /// A gray image of unsigned samples without pixels yet.
    pub fn gray(columns: u16, rows: u16, bits: u16) -> Self {
        let allocated = if bits > 16 {
            32
        } else if bits > 8 {
            16
        } else {
            8
        };
        Self { syntax: EXPLICIT, elements: Vec::new() }
            .text(0x0008_0018, *b"UI", "1.2.3.4.5")
            .text(0x0008_0060, *b"CS", "DX")
            .text(0x0010_0020, *b"LO", "patient 7")
            .text(0x0018_5101, *b"CS", "PA")
            .text(0x0020_000d, *b"UI", "1.2.3.4")
            .words(0x0028_0002, &[1])
            .text(0x0028_0004, *b"CS", "MONOCHROME2")
            .words(0x0028_0010, &[rows])
            .words(0x0028_0011, &[columns])
            .words(0x0028_0100, &[allocated])
            .words(0x0028_0101, &[bits])
            .words(0x0028_0102, &[bits - 1])
            .words(0x0028_0103, &[0])
    }

    /// Eight-bit color.
    pub fn color(columns: u16, rows: u16, photometric: &str) -> Self {
        Self::gray(columns, rows, 8)
            .words(0x0028_0002, &[3])
            .text(0x0028_0004, *b"CS", photometric)
            .words(0x0028_0006, &[0])
    }

    pub fn syntax(mut self, syntax: &'static str) -> Self {
        self.syntax = syntax;
        self
    }

    pub fn set(mut self, tag: u32, vr: [u8; 2], value: Value) -> Self {
        self.elements.retain(|element| element.0 != tag);
        self.elements.push((tag, vr, value));
        self
    }

    pub fn without(mut self, tag: u32) -> Self {
        self.elements.retain(|element| element.0 != tag);
        self
    }

    pub fn text(self, tag: u32, vr: [u8; 2], text: &str) -> Self {
        self.set(tag, vr, Value::Text(text.to_owned()))
    }

    pub fn words(self, tag: u32, words: &[u16]) -> Self {
        self.set(tag, *b"US", Value::Words(words.to_vec()))
    }

    pub fn signed(self, tag: u32, numbers: &[i16]) -> Self {
        self.set(tag, *b"SS", Value::Words(numbers.iter().map(|&number| number as u16).collect()))
    }

    pub fn window(self, center: &str, width: &str) -> Self {
        self.text(0x0028_1050, *b"DS", center).text(0x0028_1051, *b"DS", width)
    }

    pub fn item(self, tag: u32, item: Elements) -> Self {
        self.set(tag, *b"SQ", Value::Items(vec![item]))
    }

    /// Samples of 16 bits.
    pub fn pixels(self, samples: &[u16]) -> Self {
        self.set(0x7fe0_0010, *b"OW", Value::Words(samples.to_vec()))
    }

    /// Samples of 8 bits, or bytes as they are to lie in the file.
    pub fn bytes(self, bytes: &[u8]) -> Self {
        self.set(0x7fe0_0010, *b"OB", Value::Bytes(bytes.to_vec()))
    }

    /// Puts bytes where the element of a tag would be.
    pub fn whole(self, tag: u32, bytes: &[u8]) -> Self {
        self.set(tag, *b"  ", Value::Whole(bytes.to_vec()))
    }

    pub fn fragments(self, fragments: &[&[u8]]) -> Self {
        let fragments = fragments.iter().map(|fragment| fragment.to_vec()).collect();
        self.set(0x7fe0_0010, *b"OB", Value::Fragments(fragments))
    }

    /// The whole file.
    pub fn file(&self) -> Vec<u8> {
        let mut file = vec![0; 128];
        file.extend(b"DICM");
        file.extend(self.meta());
        file.extend(self.data_set());
        file
    }

    pub fn meta(&self) -> Vec<u8> {
        let meta = vec![(0x0002_0010, *b"UI", Value::Text(self.syntax.to_owned()))];
        write(&meta, Form { explicit: true, big_endian: false })
    }

    pub fn data_set(&self) -> Vec<u8> {
        let form = Form { explicit: self.syntax != IMPLICIT, big_endian: self.syntax == BIG_ENDIAN };
        let bytes = write(&self.elements, form);
        if self.syntax == DEFLATED { deflate(&bytes) } else { bytes }
    }
}

#[derive(Clone, Copy)]
struct Form {
    explicit: bool,
    big_endian: bool,
}

impl Form {
    fn u16(self, number: u16) -> [u8; 2] {
        if self.big_endian { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    fn u32(self, number: u32) -> [u8; 4] {
        if self.big_endian { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    fn tag(self, tag: u32) -> Vec<u8> {
        [self.u16((tag >> 16) as u16), self.u16(tag as u16)].concat()
    }
}

fn write(elements: &Elements, form: Form) -> Vec<u8> {
    let mut sorted: Vec<_> = elements.iter().collect();
    sorted.sort_by_key(|element| element.0);
    let mut bytes = Vec::new();
    for (tag, vr, value) in sorted {
        let (value, undefined) = match value {
            Value::Whole(whole) => {
                bytes.extend(whole);
                continue;
            }
            Value::Text(text) => {
                let mut text = text.clone().into_bytes();
                if text.len() % 2 == 1 {
                    text.push(if vr == b"UI" { 0 } else { b' ' });
                }
                (text, false)
            }
            Value::Words(words) => (words.iter().flat_map(|&word| form.u16(word)).collect(), false),
            Value::Bytes(raw) => {
                let mut raw = raw.clone();
                raw.resize(raw.len().next_multiple_of(2), 0);
                (raw, false)
            }
            Value::Items(items) => {
                let item = |item| {
                    let item = write(item, form);
                    [form.tag(0xfffe_e000), form.u32(item.len() as u32).to_vec(), item].concat()
                };
                (items.iter().flat_map(item).collect(), false)
            }
            Value::Fragments(fragments) => {
                let empty = Vec::new();
                let item = |fragment: &Vec<u8>| {
                    let mut fragment = fragment.clone();
                    fragment.resize(fragment.len().next_multiple_of(2), 0);
                    [form.tag(0xfffe_e000), form.u32(fragment.len() as u32).to_vec(), fragment].concat()
                };
                let mut all: Vec<u8> = std::iter::once(&empty).chain(fragments).flat_map(item).collect();
                all.extend([form.tag(0xfffe_e0dd), vec![0; 4]].concat());
                (all, true)
            }
        };
        bytes.extend(form.tag(*tag));
        let len = if undefined { u32::MAX } else { value.len() as u32 };
        if form.explicit {
            bytes.extend(vr);
            if matches!(vr, b"OB" | b"OW" | b"SQ" | b"UN" | b"UT") {
                bytes.extend([0; 2]);
                bytes.extend(form.u32(len));
            } else {
                bytes.extend(form.u16(len as u16));
            }
        } else {
            bytes.extend(form.u32(len));
        }
        bytes.extend(value);
    }
    bytes
}

/// Stored blocks: a deflate stream without compression.
fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    let blocks = bytes.chunks(0xffff);
    let last = blocks.len();
    for (number, block) in blocks.enumerate() {
        let len = block.len() as u16;
        stream.push(u8::from(number + 1 == last));
        stream.extend(len.to_le_bytes());
        stream.extend((!len).to_le_bytes());
        stream.extend(block);
    }
    stream
}

/// Run-length coding of segments without a single run.
pub fn rle(segments: &[&[u8]]) -> Vec<u8> {
    let mut header = vec![segments.len() as u32];
    let mut body = Vec::new();
    for segment in segments {
        header.push(64 + body.len() as u32);
        for literal in segment.chunks(128) {
            body.push((literal.len() - 1) as u8);
            body.extend(literal);
        }
        body.resize(body.len().next_multiple_of(2), 128);
    }
    header.resize(16, 0);
    let mut bytes: Vec<u8> = header.iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.extend(body);
    bytes
}
