//! The order in which films are visited.

use medclip_data::random::{Purpose, stream};
use rand::seq::SliceRandom;

/// Every place below `count` once, in the order of `epoch`.
pub(super) fn order(count: usize, seed: u64, epoch: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.shuffle(&mut stream(seed, Purpose::Order, epoch, 0));
    order
}
