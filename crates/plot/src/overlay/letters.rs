//! Text in pixels, in a font of 8 × 8 for Latin letters.

use font8x8::legacy::{BASIC_LEGACY, LATIN_LEGACY};

use super::pixels::Pixels;

/// Side of a letter, in pixels.
pub(super) const SIDE: usize = 8;

/// Writes a line from its upper left corner; what has no room is replaced by three dots.
pub(super) fn write(pixels: &mut Pixels, [left, top]: [usize; 2], text: &str, color: [u8; 3]) {
    let room = pixels.width().saturating_sub(left) / SIDE;
    let letters: Vec<char> = text.chars().collect();
    let shown: Vec<char> = if letters.len() <= room {
        letters
    } else {
        letters.into_iter().take(room.saturating_sub(3)).chain("...".chars()).take(room).collect()
    };
    for (place, letter) in shown.into_iter().enumerate() {
        for (y, row) in glyph(letter).into_iter().enumerate() {
            // The lowest bit is the leftmost pixel.
            for x in (0..SIDE).filter(|x| row >> x & 1 == 1) {
                pixels.set([left + place * SIDE + x, top + y], color);
            }
        }
    }
}

/// The picture of a letter; a question mark for one that the font lacks.
fn glyph(letter: char) -> [u8; SIDE] {
    let code = letter as usize;
    let latin = || LATIN_LEGACY.get(code.checked_sub(0xA0)?);
    let is_shown = (0x20..0x7F).contains(&code);
    let found = if is_shown { BASIC_LEGACY.get(code) } else { latin() };
    found.copied().unwrap_or(BASIC_LEGACY[usize::from(b'?')])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(text: &str, width: usize) -> Vec<bool> {
        let mut pixels = Pixels::filled(width, SIDE, [0; 3]);
        write(&mut pixels, [0, 0], text, [255; 3]);
        pixels.rgb().chunks(3).map(|pixel| pixel[0] > 0).collect()
    }

    #[test]
    fn letters_lie_one_after_the_other() {
        let (both, first) = (drawn("Lé", 16), drawn("L", 8));
        let left: Vec<bool> = both.chunks(16).flat_map(|row| row[..8].to_vec()).collect();
        assert_eq!(left, first);
        assert!(both.chunks(16).any(|row| row[8..].contains(&true)));
        assert_ne!(drawn("é", 8), drawn("?", 8));
    }

    #[test]
    fn a_letter_that_the_font_lacks_is_a_question_mark() {
        assert_eq!(drawn("胸", 8), drawn("?", 8));
        assert_eq!(drawn("\u{7}", 8), drawn("?", 8));
    }

    #[test]
    fn a_line_without_room_ends_in_dots() {
        assert_eq!(drawn("Cardiomegaly", 48), drawn("Car...", 48));
        assert_eq!(drawn("Cardiomegaly", 4), vec![false; 32]);
    }
}
