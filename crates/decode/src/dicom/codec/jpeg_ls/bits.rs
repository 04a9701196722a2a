//! Entropy-coded bits. After a byte of ones the next byte has seven bits, the first being zero.

use super::{CODEC, damaged};
use crate::dicom::problem::Problem;

/// Reads bits, most significant first.
#[derive(Debug)]
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    buffer: u64,
    count: u32,
    after_ones: bool,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, buffer: 0, count: 0, after_ones: false }
    }

    /// Appends whole bytes; at a marker or the end there are none.
    fn fill(&mut self) {
        while self.count <= 48 {
            let Some(&byte) = self.bytes.get(self.at) else { return };
            if self.after_ones && byte >= 0x80 {
                return;
            }
            let width = if self.after_ones { 7 } else { 8 };
            // A marker's first byte looks like data until the next one is seen.
            if byte == 0xff && self.bytes.get(self.at + 1).is_none_or(|&next| next >= 0x80) {
                return;
            }
            self.buffer = self.buffer << width | u64::from(byte);
            self.count += width;
            self.after_ones = byte == 0xff;
            self.at += 1;
        }
    }

    /// Why there is no line after the first `done` of `total`.
    pub(super) fn lack(&mut self, done: usize, total: usize) -> Problem {
        self.fill();
        // A code word may be longer than what is looked at.
        if self.count <= 48 {
            let what = format!("the entropy-coded data ends after line {done} of {total}");
            return Problem::FrameTruncated { codec: CODEC, what };
        }
        damaged(&format!("line {} of {total} holds an impossible code", done + 1))
    }

    pub(super) fn bit(&mut self) -> Option<bool> {
        self.take(1).map(|bit| bit == 1)
    }

    /// Up to 32 bits as a number.
    pub(super) fn take(&mut self, width: u32) -> Option<u32> {
        if self.count < width {
            self.fill();
        }
        self.count = self.count.checked_sub(width)?;
        Some((self.buffer >> self.count & ((1 << width) - 1)) as u32)
    }

    /// Zeros before the next one, which is taken, too; none if there are more than `most`.
    pub(super) fn zeros(&mut self, most: u32) -> Option<u32> {
        let mut zeros = 0;
        loop {
            if self.count == 0 {
                self.fill();
            }
            if self.count == 0 {
                return None;
            }
            let pending = self.buffer << (64 - self.count);
            let run = pending.leading_zeros().min(self.count);
            zeros += run;
            if zeros > most {
                return None;
            }
            self.count -= run;
            if self.count > 0 {
                self.count -= 1;
                return Some(zeros);
            }
        }
    }
}
