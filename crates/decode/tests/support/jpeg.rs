//! Makes JPEG streams of every process that films come in, so that tests can take parts of them away.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// Rows and columns of a block.
const SIDE: usize = 8;
const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];
const STEP: f64 = 8.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process {
    Baseline,
    /// With 12 bits.
    Extended,
    /// A scan of differences, then two of coefficients.
    Progressive,
    /// By this predictor.
    Lossless(u8),
}

/// A stream under construction.
#[derive(Debug, Clone, Copy)]
pub struct Jpeg {
    pub process: Process,
    pub width: usize,
    pub height: usize,
    /// MCUs between restart markers.
    pub restart: usize,
    /// The shortest code ends a block, as encoders choose where much is flat; else it is a coefficient, as in the
    /// standard's tables.
    pub flat: bool,
    /// What the scan header says of coefficients and bits; none for what is right.
    pub parameters: Option<[u8; 3]>,
}

impl Jpeg {
    pub fn new(process: Process, width: usize, height: usize) -> Self {
        Self { process, width, height, restart: 0, flat: false, parameters: None }
    }

    fn bits(&self) -> u32 {
        match self.process {
            Process::Baseline | Process::Progressive => 8,
            Process::Extended | Process::Lossless(_) => 12,
        }
    }

    /// A stream of these samples.
    pub fn encode(&self, sample: impl Fn(usize, usize) -> i32) -> Vec<u8> {
        let mut stream = vec![0xff, 0xd8];
        segment(&mut stream, 0xdb, &[&[0][..], &[STEP as u8; 64]].concat());
        let frame = match self.process {
            Process::Baseline => 0xc0,
            Process::Extended => 0xc1,
            Process::Progressive => 0xc2,
            Process::Lossless(_) => 0xc3,
        };
        let [h1, h0] = (self.height as u16).to_be_bytes();
        let [w1, w0] = (self.width as u16).to_be_bytes();
        segment(&mut stream, frame, &[self.bits() as u8, h1, h0, w1, w0, 1, 1, 0x11, 0]);
        // Decoders refuse tables with categories that samples of 8 bits do not have.
        let categories = if self.bits() == 8 { 12 } else { 17 };
        let (dc, ac) = (Codes::flat_length(categories), Codes::coefficients(self.flat));
        segment(&mut stream, 0xc4, &[&[0][..], &dc.segment].concat());
        segment(&mut stream, 0xc4, &[&[0x10][..], &ac.segment].concat());
        if self.restart > 0 {
            segment(&mut stream, 0xdd, &(self.restart as u16).to_be_bytes());
        }
        if let Process::Lossless(predictor) = self.process {
            self.scan(&mut stream, [predictor, 0, 0], &self.differences(&dc, sample, predictor));
        } else {
            let blocks = self.blocks(sample);
            let bands = match self.process {
                Process::Progressive => vec![(0, 0), (1, 5), (6, 63)],
                _ => vec![(0, 63)],
            };
            for (first, last) in bands {
                let units = self.coefficients(&blocks, &dc, &ac, first, last);
                self.scan(&mut stream, [first as u8, last as u8, 0], &units);
            }
        }
        stream.extend([0xff, 0xd9]);
        stream
    }

    /// A scan of units of bits.
    fn scan(&self, stream: &mut Vec<u8>, parameters: [u8; 3], units: &[Vec<(u32, u32)>]) {
        let [first, last, bits] = self.parameters.unwrap_or(parameters);
        segment(stream, 0xda, &[1, 1, 0, first, last, bits]);
        let every = if self.restart == 0 { units.len() } else { self.restart };
        for (number, interval) in units.chunks(every).enumerate() {
            if number > 0 {
                stream.extend([0xff, 0xd0 + ((number - 1) % 8) as u8]);
            }
            let mut writer = Writer::default();
            for &(bits, count) in interval.iter().flatten() {
                writer.put(bits, count);
            }
            stream.extend(writer.finish());
        }
    }

    /// Quantized coefficients of every block, in the order of the stream.
    fn blocks(&self, sample: impl Fn(usize, usize) -> i32) -> Vec<[i32; 64]> {
        let center = f64::from(1 << (self.bits() - 1));
        let (columns, rows) = (self.width.div_ceil(SIDE), self.height.div_ceil(SIDE));
        let block = |number: usize| {
            let (left, top) = (number % columns * SIDE, number / columns * SIDE);
            let at = |x: usize, y: usize| {
                f64::from(sample((left + x).min(self.width - 1), (top + y).min(self.height - 1))) - center
            };
            ZIGZAG.map(|place| {
                let (u, v) = (place % SIDE, place / SIDE);
                let scale = |index| if index == 0 { FRAC_1_SQRT_2 } else { 1.0 };
                let wave = |x: usize, u: usize| ((2 * x + 1) as f64 * u as f64 * PI / 16.0).cos();
                let sum: f64 =
                    (0..64).map(|i| at(i % SIDE, i / SIDE) * wave(i % SIDE, u) * wave(i / SIDE, v)).sum();
                (0.25 * scale(u) * scale(v) * sum / STEP).round() as i32
            })
        };
        (0..columns * rows).map(block).collect()
    }

    fn coefficients(
        &self,
        blocks: &[[i32; 64]],
        dc: &Codes,
        ac: &Codes,
        first: usize,
        last: usize,
    ) -> Vec<Vec<(u32, u32)>> {
        let mut previous = 0;
        let unit = |(number, block): (usize, &[i32; 64])| {
            let mut bits = Vec::new();
            if first == 0 {
                if self.restart > 0 && number.is_multiple_of(self.restart) {
                    previous = 0;
                }
                let (category, value) = number_bits(block[0] - previous);
                previous = block[0];
                bits.extend([dc.of(category as u8), (value, category)]);
            }
            let mut zeros = 0;
            for &coefficient in &block[first.max(1)..=last.max(1)] {
                if last == 0 {
                    break;
                }
                if coefficient == 0 {
                    zeros += 1;
                    continue;
                }
                while zeros > 15 {
                    bits.push(ac.of(0xf0));
                    zeros -= 16;
                }
                let (category, value) = number_bits(coefficient);
                bits.extend([ac.of((zeros << 4 | category) as u8), (value, category)]);
                zeros = 0;
            }
            if zeros > 0 {
                bits.push(ac.of(0));
            }
            bits
        };
        blocks.iter().enumerate().map(unit).collect()
    }

    fn differences(
        &self,
        codes: &Codes,
        sample: impl Fn(usize, usize) -> i32,
        predictor: u8,
    ) -> Vec<Vec<(u32, u32)>> {
        let unit = |index: usize| {
            let (x, y) = (index % self.width, index / self.width);
            // A line that starts an interval has no line above.
            let first =
                index.checked_div(self.restart).map_or(0, |interval| interval * self.restart / self.width);
            let left = || sample(x - 1, y);
            let above = || sample(x, y - 1);
            let corner = || sample(x - 1, y - 1);
            let prediction = match (x, y - first, predictor) {
                (0, 0, _) => 1 << (self.bits() - 1),
                (_, 0, _) | (1.., _, 1) => left(),
                (0, _, _) | (_, _, 2) => above(),
                (_, _, 3) => corner(),
                (_, _, 4) => left() + above() - corner(),
                (_, _, 5) => left() + ((above() - corner()) >> 1),
                (_, _, 6) => above() + ((left() - corner()) >> 1),
                _ => (left() + above()) >> 1,
            };
            let (category, value) = number_bits(sample(x, y) - prediction);
            vec![codes.of(category as u8), (value, category)]
        };
        (0..self.width * self.height).map(unit).collect()
    }
}

/// Where the data of every scan starts and ends.
pub fn scans(stream: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 2;
    while stream[at + 1] != 0xd9 {
        let code = stream[at + 1];
        at += 2 + usize::from(u16::from_be_bytes([stream[at + 2], stream[at + 3]]));
        if code == 0xda {
            let start = at;
            while stream[at] != 0xff || matches!(stream[at + 1], 0 | 0xd0..=0xd7) {
                at += 1;
            }
            found.push((start, at));
        }
    }
    found
}

/// Where restart markers stand.
pub fn restarts(stream: &[u8]) -> Vec<usize> {
    let (start, end) = scans(stream)[0];
    (start..end).filter(|&at| stream[at] == 0xff && matches!(stream[at + 1], 0xd0..=0xd7)).collect()
}

fn segment(stream: &mut Vec<u8>, code: u8, body: &[u8]) {
    stream.extend([0xff, code]);
    stream.extend((body.len() as u16 + 2).to_be_bytes());
    stream.extend(body);
}

/// Bits that a number takes, and those bits.
fn number_bits(number: i32) -> (u32, u32) {
    let category = 32 - number.unsigned_abs().leading_zeros();
    let value = if number < 0 { number - 1 } else { number };
    (category, value as u32 & ((1 << category) - 1))
}

/// Huffman codes, and the segment that defines them.
struct Codes {
    segment: Vec<u8>,
    codes: Vec<(u8, u32, u32)>,
}

impl Codes {
    fn new(counts: [u8; 16], values: &[u8]) -> Self {
        let segment = [&counts[..], values].concat();
        let (mut code, mut values) = (0, values.iter());
        let mut codes = Vec::new();
        for (length, &count) in (1..).zip(&counts) {
            for &value in values.by_ref().take(count.into()) {
                codes.push((value, code, length));
                code += 1;
            }
            code <<= 1;
        }
        Self { segment, codes }
    }

    /// Of the numbers from 0, in five bits.
    fn flat_length(count: u8) -> Self {
        let mut counts = [0; 16];
        counts[4] = count;
        Self::new(counts, &(0..count).collect::<Vec<_>>())
    }

    /// Two symbols are short, all others take nine bits.
    fn coefficients(flat: bool) -> Self {
        let short = if flat { [0x00, 0x01] } else { [0x01, 0x00] };
        let rest = (0..=255).filter(|symbol| !short.contains(symbol) && symbol & 15 <= 14);
        let rest: Vec<u8> = rest.collect();
        let mut counts = [0; 16];
        counts[1] = 2;
        counts[8] = rest.len() as u8;
        Self::new(counts, &[&short[..], &rest].concat())
    }

    fn of(&self, value: u8) -> (u32, u32) {
        self.codes.iter().find(|code| code.0 == value).map(|&(_, code, length)| (code, length)).unwrap()
    }
}

#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    byte: u32,
    count: u32,
}

impl Writer {
    fn put(&mut self, bits: u32, count: u32) {
        for bit in (0..count).rev() {
            self.byte = self.byte << 1 | (bits >> bit & 1);
            self.count += 1;
            if self.count == 8 {
                self.bytes.push(self.byte as u8);
                if self.byte == 0xff {
                    self.bytes.push(0);
                }
                (self.byte, self.count) = (0, 0);
            }
        }
    }

    /// With ones where a byte is not full.
    fn finish(mut self) -> Vec<u8> {
        while self.count > 0 {
            self.put(1, 1);
        }
        self.bytes
    }
}
