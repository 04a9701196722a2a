//! How a square map of tokens is cut into attention windows.

/// The windows of one block: the map, padded with zeros to whole windows and rolled up and left by `shift`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// Side of the map in tokens.
    pub side: usize,
    /// Side of a window in tokens.
    pub window: usize,
    /// Tokens the map is rolled by; less than `window`.
    pub shift: usize,
}

impl Windows {
    /// Added to the attention score of two tokens that the roll brought together, as the reference has it.
    pub const MASKED: f32 = -100.0;

    /// Windows in the map.
    pub const fn count(&self) -> usize {
        self.side.div_ceil(self.window).pow(2)
    }

    /// Tokens in a window.
    pub const fn tokens(&self) -> usize {
        self.window.pow(2)
    }

    /// Whether the map is padded.
    pub const fn is_padded(&self) -> bool {
        !self.side.is_multiple_of(self.window)
    }

    /// The token at every place, window by window and row by row: its position in raster order, none for padding.
    pub fn places(&self) -> Vec<Option<usize>> {
        let padded = self.padded();
        let at = |rolled: usize| Some((rolled + self.shift) % padded).filter(|at| *at < self.side);
        self.rolled().map(|(y, x)| Some(at(y)? * self.side + at(x)?)).collect()
    }

    /// What a block adds to its scores, `[count, tokens, tokens]`: [`Windows::MASKED`] between tokens of one window that
    /// are not neighbors in the map, 0 elsewhere. None without a shift.
    pub fn mask(&self) -> Option<Vec<f32>> {
        if self.shift == 0 {
            return None;
        }
        let padded = self.padded();
        let part =
            |at: usize| usize::from(at >= padded - self.window) + usize::from(at >= padded - self.shift);
        let regions: Vec<usize> = self.rolled().map(|(y, x)| 3 * part(y) + part(x)).collect();
        let rows = regions.chunks(self.tokens()).flat_map(|window| {
            let row = move |query: &usize| {
                let query = *query;
                window.iter().map(move |key| if *key == query { 0.0 } else { Self::MASKED })
            };
            window.iter().flat_map(row)
        });
        Some(rows.collect())
    }

    const fn padded(&self) -> usize {
        self.side.next_multiple_of(self.window)
    }

    /// Row and column in the padded, rolled map of every place.
    fn rolled(&self) -> impl Iterator<Item = (usize, usize)> {
        let (window, per_row) = (self.window, self.side.div_ceil(self.window));
        (0..self.count()).flat_map(move |index| {
            let (top, left) = (index / per_row * window, index % per_row * window);
            (0..window * window).map(move |inner| (top + inner / window, left + inner % window))
        })
    }
}

/// For every query and key of a window, `[tokens, tokens]`, the row of the relative-position bias table.
pub fn relative_positions(window: usize) -> Vec<usize> {
    let tokens = 0..window * window;
    let distance = |query: usize, key: usize| query + window - 1 - key;
    let pair = |query: usize, key: usize| {
        let rows = distance(query / window, key / window);
        rows * (2 * window - 1) + distance(query % window, key % window)
    };
    tokens.clone().flat_map(|query| tokens.clone().map(move |key| pair(query, key))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_the_rolled_windows() {
        let plain = Windows { side: 4, window: 2, shift: 0 };
        let places: Vec<usize> = plain.places().into_iter().map(Option::unwrap).collect();
        assert_eq!(places, [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15]);
        let shifted = Windows { shift: 1, ..plain };
        let places: Vec<usize> = shifted.places().into_iter().map(Option::unwrap).collect();
        assert_eq!(places, [5, 6, 9, 10, 7, 4, 11, 8, 13, 14, 1, 2, 15, 12, 3, 0]);
        let padded = Windows { side: 3, window: 2, shift: 0 };
        let n = None;
        let s = Some;
        assert_eq!(
            padded.places(),
            [s(0), s(1), s(3), s(4), s(2), n, s(5), n, s(6), s(7), n, n, s(8), n, n, n]
        );
    }

    #[test]
    fn only_the_edge_windows_are_masked() {
        let windows = Windows { side: 4, window: 2, shift: 1 };
        let mask = windows.mask().unwrap();
        assert!(mask[..16].iter().all(|value| *value == 0.0));
        // The last window holds one token of each corner: each sees itself alone.
        for (index, value) in mask[48..].iter().enumerate() {
            assert_eq!(*value == 0.0, index % 5 == 0);
        }
        assert!(Windows { shift: 0, ..windows }.mask().is_none());
    }

    #[test]
    fn relative_positions_are_centered() {
        assert_eq!(relative_positions(1), [0]);
        // Swin's own index for a window of 2.
        assert_eq!(relative_positions(2), [4, 3, 1, 0, 5, 4, 2, 1, 7, 6, 4, 3, 8, 7, 5, 4]);
    }
}
