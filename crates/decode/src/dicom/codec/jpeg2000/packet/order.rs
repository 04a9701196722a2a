//! The order of packets (T.800, B.12).

use std::ops::Range;

use super::plan::{Placed, Plan};
use super::{Coding, Decoder};
use crate::dicom::codec::jpeg2000::style::Change;

/// Which packet it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packet {
    pub(super) component: usize,
    pub(super) resolution: usize,
    pub(super) precinct: usize,
    pub(super) layer: u32,
}

/// Packets of a tile that follow one order.
#[derive(Debug, Clone)]
struct Stretch {
    layers: u32,
    resolutions: Range<usize>,
    components: Range<usize>,
    order: u8,
}

/// The packets of a tile in their order; an item is none where the decoder fails to sort them.
pub(super) fn packets<'a>(
    plan: &'a Plan,
    coding: &'a Coding,
    changes: &'a [Change],
    decoder: Decoder,
) -> Box<dyn Iterator<Item = Option<Packet>> + 'a> {
    let resolutions = match decoder {
        // In this order the decoder goes up to the last resolution of the first component, whatever others have.
        Decoder::HighThroughput if coding.order == 0 => plan.components.first().map_or(0, Vec::len),
        _ => plan.components.iter().map(Vec::len).max().unwrap_or(0),
    };
    let components = plan.components.len();
    if changes.is_empty() {
        let (layers, order) = (coding.layers as u32, coding.order);
        let all = Stretch { layers, resolutions: 0..resolutions, components: 0..components, order };
        return in_order(plan, all);
    }
    let within = |range: &Range<u64>, most: usize| range.start as usize..most.min(range.end as usize);
    let packets = changes.iter().flat_map(move |change| {
        let stretch = Stretch {
            layers: coding.layers.min(change.layers) as u32,
            resolutions: within(&change.resolutions, resolutions),
            components: within(&change.components, components),
            order: change.order,
        };
        in_order(plan, stretch)
    });
    // A packet that an earlier stretch had does not come again (B.12.2).
    let layers = coding.layers as usize;
    let mut seen = vec![false; plan.precincts * layers];
    Box::new(packets.filter(move |packet| {
        let Some(Packet { component, resolution, precinct, layer }) = *packet else {
            return true;
        };
        let first = plan.placed(component, resolution).map_or(0, |placed| placed.precinct);
        let seen = seen.get_mut((first + precinct) * layers + layer as usize);
        seen.is_none_or(|seen| !std::mem::replace(seen, true))
    }))
}

fn in_order(plan: &Plan, stretch: Stretch) -> Box<dyn Iterator<Item = Option<Packet>> + '_> {
    let Stretch { layers, resolutions, components, order } = stretch;
    if order > 1 {
        let listed = by_position(plan, resolutions, components, order);
        return Box::new(listed.into_iter().flat_map(move |listed| {
            // A failure is one item, not one for each layer.
            let layers = if listed.is_some() { layers } else { 1 };
            (0..layers).map(move |layer| Some(listed?.packet(layer)))
        }));
    }
    let of_layer = move |layer, resolution| {
        components.clone().flat_map(move |component| {
            let precincts = plan.placed(component, resolution).map_or(0, |placed| placed.resolution.count());
            (0..precincts as usize)
                .map(move |precinct| Some(Packet { component, resolution, precinct, layer }))
        })
    };
    if order == 0 {
        // By layer, then resolution (B.12.1.1).
        Box::new((0..layers).flat_map(move |layer| {
            let of_layer = of_layer.clone();
            resolutions.clone().flat_map(move |resolution| of_layer(layer, resolution))
        }))
    } else {
        // By resolution, then layer (B.12.1.2).
        Box::new(resolutions.flat_map(move |resolution| {
            let of_layer = of_layer.clone();
            (0..layers).flat_map(move |layer| of_layer(layer, resolution))
        }))
    }
}

/// A precinct among others that are taken by where they lie.
#[derive(Debug, Clone, Copy)]
struct Listed {
    component: u32,
    resolution: u32,
    precinct: u32,
    /// Column and row of the reference grid.
    place: [u32; 2],
}

impl Listed {
    fn packet(self, layer: u32) -> Packet {
        Packet {
            component: self.component as usize,
            resolution: self.resolution as usize,
            precinct: self.precinct as usize,
            layer,
        }
    }

    /// What the orders by position sort by (B.12.1.3 to B.12.1.5).
    fn key(&self, order: u8) -> [u32; 5] {
        let Self { component, resolution, precinct, place: [x, y] } = *self;
        match order {
            2 => [resolution, y, x, component, precinct],
            3 => [y, x, component, resolution, precinct],
            _ => [component, y, x, resolution, precinct],
        }
    }
}

/// Precincts in an order by position, or a single none.
fn by_position(
    plan: &Plan,
    resolutions: Range<usize>,
    components: Range<usize>,
    order: u8,
) -> Vec<Option<Listed>> {
    let mut all = Vec::new();
    for component in components {
        for resolution in resolutions.clone() {
            let Some(placed) = plan.placed(component, resolution) else {
                continue;
            };
            let across = placed.resolution.precincts[0];
            for precinct in 0..placed.resolution.count() {
                let place = [
                    position(plan, placed, 0, precinct % across),
                    position(plan, placed, 1, precinct / across),
                ];
                let [Some(x), Some(y)] = place else {
                    return vec![None];
                };
                let (component, resolution, precinct) =
                    (component as u32, resolution as u32, precinct as u32);
                all.push(Listed { component, resolution, precinct, place: [x, y] });
            }
        }
    }
    all.sort_unstable_by_key(|listed| listed.key(order));
    all.into_iter().map(Some).collect()
}

/// Where a precinct starts on the reference grid; none if 32 bits do not hold it.
fn position(plan: &Plan, placed: &Placed, axis: usize, index: u64) -> Option<u32> {
    let side = u32::from(placed.resolution.side[axis]) + u32::from(placed.level);
    let side = u64::from(1_u32.checked_shl(side)?);
    // The first one of a tile starts where the tile does, unless its resolution starts with a whole precinct.
    let start = plan.area[axis].start;
    let is_whole = (placed.resolution.area[axis].start << placed.level).is_multiple_of(side);
    let first = if is_whole { start.next_multiple_of(side) } else { start };
    let place = if index == 0 { first } else { (first + 1).next_multiple_of(side) + (index - 1) * side };
    u32::try_from(place).ok()
}
