//! Tag trees (T.800, B.10.2): numbers of the code blocks of a precinct, told bit by bit.

use super::bits::Bits;

/// Precincts have up to 2¹³ code blocks along an axis, and a level more than that is the root.
const MAX_LEVELS: usize = 16;

/// What is known of the least number below a node.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Node {
    /// It is this, or at least this.
    least: u32,
    is_known: bool,
}

/// Where the levels of a tree lie in a list of nodes, leaves first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// Start and columns of each.
    levels: [(u32, u32); MAX_LEVELS],
    top: usize,
    leaves: u32,
    nodes: u32,
}

impl Shape {
    /// A tree over so many columns and rows of leaves; none where there are more than in any precinct.
    pub(super) fn new([mut columns, mut rows]: [u32; 2]) -> Option<Self> {
        let leaves = columns.checked_mul(rows)?;
        let mut shape = Self { levels: [(0, 0); MAX_LEVELS], top: 0, leaves, nodes: 0 };
        loop {
            *shape.levels.get_mut(shape.top)? = (shape.nodes, columns);
            shape.nodes = shape.nodes.checked_add(columns.checked_mul(rows)?)?;
            if columns <= 1 && rows <= 1 {
                return Some(shape);
            }
            (columns, rows) = (columns.div_ceil(2), rows.div_ceil(2));
            shape.top += 1;
        }
    }

    pub(super) fn leaves(&self) -> usize {
        self.leaves as usize
    }

    pub(super) fn nodes(&self) -> usize {
        self.nodes as usize
    }

    /// The number of a leaf as far as it is below `limit`, else some number that is not.
    pub(super) fn read(
        &self,
        nodes: &mut [Node],
        [x, y]: [u32; 2],
        limit: u32,
        bits: &mut Bits<'_>,
    ) -> Option<u32> {
        let mut least = 0;
        for level in (0..=self.top).rev() {
            let (start, columns) = self.levels[level];
            let node = nodes.get_mut((start + (y >> level) * columns + (x >> level)) as usize)?;
            if !node.is_known {
                least = least.max(node.least);
                while least < limit && !node.is_known {
                    match bits.bit()? {
                        0 => least += 1,
                        _ => node.is_known = true,
                    }
                }
                node.least = least;
            }
            least = node.least;
            if least >= limit {
                break;
            }
        }
        Some(least)
    }
}
