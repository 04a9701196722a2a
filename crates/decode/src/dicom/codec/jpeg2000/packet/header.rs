//! What a packet's header says of a code block (T.800, B.10.5 to B.10.7; T.814 for high-throughput blocks).

use super::bits::Bits;
use super::block::Block;
use crate::dicom::codec::jpeg2000::style::Style;

/// The most passes that decoders take: of 32 bit-planes, of which the first has one.
const MAX_PASSES: u8 = 94;

/// Reads how many passes a block has in a packet and how much data; gives the bytes of it.
pub(super) fn contribution(block: &mut Block, flags: u8, bits: &mut Bits<'_>) -> Option<u64> {
    let added = passes(bits)?;
    lengthen(block, bits)?;
    let before = block.passes;
    let after = before.checked_add(added).filter(|&passes| passes <= MAX_PASSES)?;
    let mut bytes = 0;
    let mut first = before;
    for pass in before..after {
        // Each stretch of passes up to a termination has a length of its own (B.10.7.2).
        if pass + 1 == after || stretch(pass + 1, flags) != stretch(pass, flags) {
            bytes += length(block, pass + 1 - first, bits)?;
            first = pass + 1;
        }
    }
    block.passes = after;
    Some(bytes)
}

/// The same of a block of high throughput, which is in one packet alone (T.814, B.3). `planes` are those without passes.
pub(super) fn set(block: &mut Block, planes: u8, bits: &mut Bits<'_>) -> Option<u64> {
    let stated = Some(passes(bits)?).filter(|&passes| passes <= MAX_PASSES && block.passes == 0)?;
    // Sets of three passes before the first that has data stand for bit-planes without any.
    let skipped = (stated - 1) / 3;
    planes.checked_add(skipped)?;
    lengthen(block, bits)?;
    let first = length(block, 3 * skipped + 1, bits).filter(|length| (2..65_535).contains(length))?;
    block.passes = stated - 3 * skipped;
    let second = match block.passes {
        1 => 0,
        passes => length(block, passes - 1, bits).filter(|&length| length < 2047)?,
    };
    Some(first + second)
}

/// A number of passes (table B.4).
fn passes(bits: &mut Bits<'_>) -> Option<u8> {
    // The order is that of decoders: at the end of the data a shorter code may match.
    let passes = if bits.take(9, 0x1ff) {
        bits.number(7)? + 37
    } else if bits.take(4, 0xf) {
        bits.number(5)? + 6
    } else if bits.take(4, 0xe) {
        5
    } else if bits.take(4, 0xd) {
        4
    } else if bits.take(4, 0xc) {
        3
    } else if bits.take(2, 2) {
        2
    } else if bits.take(1, 0) {
        1
    } else {
        return None;
    };
    Some(passes as u8)
}

/// Takes the ones that lengthen the numbers in which lengths are told.
fn lengthen(block: &mut Block, bits: &mut Bits<'_>) -> Option<()> {
    while bits.bit()? == 1 {
        block.length_bits = block.length_bits.checked_add(1)?;
    }
    Some(())
}

/// The length of the data of so many passes.
fn length(block: &Block, passes: u8, bits: &mut Bits<'_>) -> Option<u64> {
    // Decoders count the bits in a byte.
    let count = block.length_bits.checked_add(passes.checked_ilog2()?)? as u8;
    bits.number(count).map(u64::from)
}

/// The number of the stretch up to a termination that a pass belongs to (table D.9).
fn stretch(pass: u8, flags: u8) -> u8 {
    if flags & Style::TERMINATION != 0 {
        pass
    } else if flags & Style::BYPASS != 0 && pass >= 10 {
        1 + (pass - 10) / 3 * 2 + u8::from(pass.is_multiple_of(3))
    } else {
        0
    }
}
