//! Text in the pixels: rows of small, sharp, very bright shapes.

use medclip_core::GrayImage;

/// Gray from which a pixel may belong to a letter.
const BRIGHT: u8 = 235;
/// How much darker the surroundings of a letter are.
const STEP: u8 = 80;
/// Letters of a line: "L", "PA" or "AP SUPINE" are markers, which every film has.
const LETTERS: usize = 10;
/// Height of a letter in pixels, at least, and as a share of the image's height, at most.
const MIN_HEIGHT: usize = 5;
const MAX_HEIGHT: f64 = 0.06;

/// Whether some line holds as many letters as no marker has.
pub(super) fn is_there(image: &GrayImage) -> bool {
    let mut letters = letters(image);
    letters.sort_by_key(|letter| letter.top + letter.bottom);
    letters.iter().enumerate().any(|(index, first)| {
        let middle = first.top + first.bottom;
        let line =
            letters[index..].iter().take_while(|other| (other.top + other.bottom) - middle <= first.height());
        line.filter(|other| 2 * other.height() >= first.height() && other.height() <= 2 * first.height())
            .count()
            >= LETTERS
    })
}

/// The smallest box around a shape, bounds included.
#[derive(Debug, Clone, Copy)]
struct Letter {
    top: usize,
    bottom: usize,
    left: usize,
    right: usize,
    area: usize,
}

impl Letter {
    const fn height(&self) -> usize {
        self.bottom - self.top + 1
    }

    /// Neither a dot, nor a line, nor a filled block.
    fn is_one(&self, image_height: usize) -> bool {
        let (width, height) = (self.right - self.left + 1, self.height());
        let fill = self.area as f64 / (width * height) as f64;
        height >= MIN_HEIGHT
            && height as f64 <= MAX_HEIGHT * image_height as f64
            && width <= 2 * height
            && (0.15..0.95).contains(&fill)
    }
}

/// Connected bright shapes (8 neighbors) of a letter's size with dark surroundings.
fn letters(image: &GrayImage) -> Vec<Letter> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let pixels = image.pixels();
    let mut seen = vec![false; pixels.len()];
    let mut found = Vec::new();
    let mut open = Vec::new();
    for start in 0..pixels.len() {
        if seen[start] || pixels[start] < BRIGHT {
            continue;
        }
        let mut letter = Letter { top: height, bottom: 0, left: width, right: 0, area: 0 };
        let (mut edge, mut dark) = (0_usize, 0_usize);
        seen[start] = true;
        open.push(start);
        while let Some(at) = open.pop() {
            let (x, y) = (at % width, at / width);
            letter = Letter {
                top: letter.top.min(y),
                bottom: letter.bottom.max(y),
                left: letter.left.min(x),
                right: letter.right.max(x),
                area: letter.area + 1,
            };
            for ny in y.saturating_sub(1)..=(y + 1).min(height - 1) {
                for nx in x.saturating_sub(1)..=(x + 1).min(width - 1) {
                    let next = ny * width + nx;
                    if pixels[next] < BRIGHT {
                        edge += 1;
                        dark += usize::from(pixels[next] <= BRIGHT - STEP);
                    } else if !seen[next] {
                        seen[next] = true;
                        open.push(next);
                    }
                }
            }
        }
        // Bone fades into its surroundings, a letter does not.
        if letter.is_one(height) && 2 * dark > edge {
            found.push(letter);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::tests::image;
    use super::*;

    /// A line of `count` letters, each an "L" of 6×8 pixels, on a dim film.
    fn lettered(count: u32) -> GrayImage {
        image(256, 256, |x, y| {
            let (column, letter) = ((x.wrapping_sub(10)) % 9, x.wrapping_sub(10) / 9);
            let row = y.wrapping_sub(12);
            let stroke = (column < 2 && row < 8) || (column < 6 && (6..8).contains(&row));
            if letter < count && stroke { 250 } else { 60 + (x / 4) as u8 }
        })
    }

    #[test]
    fn a_line_of_letters_is_text_and_a_marker_is_not() {
        assert!(is_there(&lettered(14)));
        assert!(!is_there(&lettered(6)));
        assert!(!is_there(&image(256, 256, |x, y| ((x ^ y) & 255) as u8)));
        assert!(!is_there(&image(256, 256, |_, _| 255)));
    }
}
