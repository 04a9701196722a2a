//! The extended sequential process with 12 bits a sample and Huffman coding, of one component.
//!
//! # Source
//! ITU-T Recommendation T.81 (1992), annexes A, B, E and F. The inverse transform is in floating point.

mod huffman;
mod transform;

use self::huffman::{Bits, Table};
use self::transform::Transform;
use super::header::{Header, Markers};
use super::{damaged, unsupported};
use crate::dicom::layout::Layout;
use crate::dicom::problem::Problem;

/// Rows and columns of a block.
const SIDE: usize = 8;
const BLOCK: usize = SIDE * SIDE;
/// Middle and highest value of a sample.
const CENTER: f32 = 2048.0;
const MAX: f32 = 4095.0;

/// Order of the coefficients in the stream, row by row.
const ZIGZAG: [u8; BLOCK] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// Tables as the markers before the scan define them.
#[derive(Default)]
struct Tables {
    quantization: [Option<[u16; BLOCK]>; 4],
    dc: [Option<Table>; 4],
    ac: [Option<Table>; 4],
    restart: usize,
}

pub(super) fn decode(stream: &[u8], header: &Header, layout: &Layout) -> Result<Vec<u16>, Problem> {
    let [component] = header.components[..] else {
        return Err(unsupported(format!("{} components with 12 bits", header.components.len())));
    };
    let mut tables = Tables::default();
    for marker in Markers::new(stream).into_iter().flatten() {
        match marker.code {
            0xdb => tables.read_quantization(marker.body)?,
            0xc4 => tables.read_huffman(marker.body)?,
            0xdd => {
                tables.restart = marker.body.first_chunk().map_or(0, |&two| u16::from_be_bytes(two).into());
            }
            0xda => {
                // What follows is the same for every sequential scan.
                let &[1, id, selectors, _, _, _] = marker.body else {
                    return Err(damaged("its scan header is not that of one whole component"));
                };
                if id != component.id {
                    return Err(damaged("its scan is of another component"));
                }
                return tables.scan(&stream[marker.end..], selectors, component.table, layout);
            }
            _ => {}
        }
    }
    Err(damaged("it has no scan"))
}

impl Tables {
    fn read_quantization(&mut self, mut body: &[u8]) -> Result<(), Problem> {
        while let Some((&kind, rest)) = body.split_first() {
            let wide = kind >> 4 == 1;
            let len = if wide { 2 * BLOCK } else { BLOCK };
            let (values, rest) =
                rest.split_at_checked(len).ok_or_else(|| damaged("its quantisation table is too short"))?;
            let slot = self.quantization.get_mut(usize::from(kind & 15));
            let slot = slot.ok_or_else(|| damaged("it has a fifth quantisation table"))?;
            let mut table = [0; BLOCK];
            for (index, value) in table.iter_mut().enumerate() {
                *value = if wide {
                    u16::from_be_bytes([values[2 * index], values[2 * index + 1]])
                } else {
                    values[index].into()
                };
            }
            *slot = Some(table);
            body = rest;
        }
        Ok(())
    }

    fn read_huffman(&mut self, mut body: &[u8]) -> Result<(), Problem> {
        while let Some((&kind, rest)) = body.split_first() {
            let (table, rest) =
                Table::read(rest).ok_or_else(|| damaged("its Huffman table is impossible"))?;
            let tables = if kind >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            let slot = tables.get_mut(usize::from(kind & 15));
            *slot.ok_or_else(|| damaged("it has a fifth Huffman table"))? = Some(table);
            body = rest;
        }
        Ok(())
    }

    fn scan(
        &self,
        bytes: &[u8],
        selectors: u8,
        quantization: u8,
        layout: &Layout,
    ) -> Result<Vec<u16>, Problem> {
        let missing = || damaged("it uses a table that it does not have");
        let table = |tables: &[Option<Table>; 4], index: u8| {
            tables.get(usize::from(index)).cloned().flatten().ok_or_else(missing)
        };
        let (dc, ac) = (table(&self.dc, selectors >> 4)?, table(&self.ac, selectors & 15)?);
        let quantization = self.quantization.get(usize::from(quantization)).copied().flatten();
        let quantization = quantization.ok_or_else(missing)?;
        let (width, height) = (layout.width as usize, layout.height as usize);
        let mut pixels = vec![0_u16; width * height];
        let mut bits = Bits::new(bytes);
        let transform = Transform::new();
        let mut previous = 0_i32;
        let mut number = 0;
        for top in (0..height).step_by(SIDE) {
            for left in (0..width).step_by(SIDE) {
                if self.restart > 0 && number > 0 && number % self.restart == 0 {
                    bits.restart().ok_or_else(|| damaged("it lacks a restart marker"))?;
                    previous = 0;
                }
                number += 1;
                let block = block(&mut bits, &dc, &ac, &quantization, &mut previous)
                    .ok_or_else(|| damaged("it stops early or holds an impossible code"))?;
                let samples = transform.inverse(&block);
                for y in 0..SIDE.min(height - top) {
                    for x in 0..SIDE.min(width - left) {
                        let sample = (samples[y * SIDE + x] + CENTER).round().clamp(0.0, MAX);
                        pixels[(top + y) * width + left + x] = sample as u16;
                    }
                }
            }
        }
        Ok(pixels)
    }
}

/// Coefficients of a block, dequantized, row by row.
fn block(
    bits: &mut Bits<'_>,
    dc: &Table,
    ac: &Table,
    quantization: &[u16; BLOCK],
    previous: &mut i32,
) -> Option<[f32; BLOCK]> {
    let mut block = [0.0; BLOCK];
    let category = bits.code(dc)?;
    // Differences of 12-bit samples have up to 15 bits.
    *previous = previous.checked_add(bits.value(category.min(16))?)?;
    block[0] = *previous as f32 * f32::from(quantization[0]);
    let mut index = 1;
    while index < BLOCK {
        let code = bits.code(ac)?;
        let (zeros, category) = (usize::from(code >> 4), code & 15);
        if category == 0 {
            if zeros < 15 {
                break;
            }
            index += 16;
            continue;
        }
        index += zeros;
        let (&place, &step) = (ZIGZAG.get(index)?, quantization.get(index)?);
        block[usize::from(place)] = bits.value(category)? as f32 * f32::from(step);
        index += 1;
    }
    Some(block)
}
