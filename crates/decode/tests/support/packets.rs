//! Packets of JPEG 2000 in which every code block states the same, whatever data there is for it.

use std::mem::replace;

use super::codestream::Codestream;

/// What every code block has.
#[derive(Debug, Clone)]
pub struct Block {
    pub passes: u8,
    /// Bit-planes without passes.
    pub empty_planes: u8,
    /// For each stretch of passes that ends with a termination.
    pub data: Vec<u8>,
}

/// The packets of a tile that covers the image, in one layer and without precincts.
pub fn packets(codestream: &Codestream, block: &Block) -> Vec<u8> {
    let style = &codestream.style;
    let scaled = |side: u32, level: u8, high: u64| {
        let shift = if level == 0 { 0 } else { high << (level - 1) };
        u64::from(side).saturating_sub(shift).div_ceil(1 << level)
    };
    let mut stream = Vec::new();
    for resolution in 0..=style.levels {
        let bands: &[[u64; 2]] = if resolution == 0 { &[[0, 0]] } else { &[[1, 0], [0, 1], [1, 1]] };
        let level = if resolution == 0 { style.levels } else { style.levels + 1 - resolution };
        let mut bits = Bits::default();
        let mut count = 0;
        bits.put(1, 1);
        for high in bands {
            let [wide, tall] = [0, 1].map(|axis| {
                scaled(codestream.size[axis], level, high[axis]).div_ceil(1 << style.block[axis]) as usize
            });
            count += wide * tall;
            header(&mut bits, wide, tall, style.flags, block);
        }
        stream.extend(bits.finish());
        for _ in 0..count * stretches(style.flags, block.passes).len() {
            stream.extend(&block.data);
        }
    }
    stream
}

/// The part of a packet's header that is about a sub-band.
fn header(bits: &mut Bits, wide: usize, tall: usize, flags: u8, block: &Block) {
    // Nodes of the trees that were told, by level.
    let levels = wide.max(tall).next_power_of_two().ilog2();
    let mut told = vec![vec![false; wide * tall]; levels as usize + 1];
    for place in 0..wide * tall {
        let (x, y) = (place % wide, place / wide);
        // Whether each node on the way from the root is told here.
        let mut tell =
            |level: u32| !replace(&mut told[level as usize][(y >> level) * wide + (x >> level)], true);
        let new: Vec<_> = (0..=levels).rev().map(&mut tell).collect();
        // All blocks are in this packet, and have the same bit-planes.
        let count = new.iter().filter(|&&new| new).count();
        bits.put(u32::MAX, count);
        if new[0] {
            bits.put(0, block.empty_planes.into());
        }
        bits.put(u32::MAX, count);
        match u32::from(block.passes) {
            1 => bits.put(0, 1),
            2 => bits.put(2, 2),
            passes @ 3..=5 => bits.put(0b1100 + passes - 3, 4),
            passes @ 6..=36 => bits.put(0x1e0 + passes - 6, 9),
            passes => bits.put(0xff80 + passes - 37, 16),
        }
        // Lengths of three bits, and more where they need it.
        let stretches = stretches(flags, block.passes);
        let len = block.data.len() as u32;
        let needed = (len + 1).next_power_of_two().ilog2() as usize;
        let width = needed.max(3);
        bits.put((1 << (width - 2)) - 2, width - 2);
        for passes in stretches {
            bits.put(len, width + passes.ilog2() as usize);
        }
    }
}

/// Numbers of passes up to each termination (table D.9).
fn stretches(flags: u8, passes: u8) -> Vec<u8> {
    let stretch = |pass: u8| match (flags & 0x45, pass) {
        // Of high throughput: the first pass and the others.
        (0x40.., _) => pass.min(1),
        (4.., _) => pass,
        (1, 10..) => 1 + (pass - 10) / 3 * 2 + u8::from(pass.is_multiple_of(3)),
        _ => 0,
    };
    let all: Vec<_> = (0..passes).map(stretch).collect();
    all.chunk_by(|one, other| one == other).map(|chunk| chunk.len() as u8).collect()
}

/// Writes bits, with a zero bit behind a byte of ones.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    /// Bits of the last byte that are free.
    free: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: usize) {
        for bit in (0..count).rev() {
            if self.free == 0 {
                self.free = if self.bytes.last() == Some(&0xff) { 7 } else { 8 };
                self.bytes.push(0);
            }
            self.free -= 1;
            *self.bytes.last_mut().unwrap() |= ((value >> bit & 1) as u8) << self.free;
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.bytes.last() == Some(&0xff) {
            self.bytes.push(0);
        }
        self.bytes
    }
}
