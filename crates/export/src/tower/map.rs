//! Where an image embedding comes from: its locations in the joint space.
//!
//! Image towers end in a mean over locations `fᵢ` and a linear head `W` without bias, so `e = W f̄ / ‖W f̄‖` is exactly the mean of
//! `W fᵢ / ‖W f̄‖` over the locations: a class-activation map before a class is chosen.

use medclip_core::architecture::swin::Moves;

use crate::graph::{Graph, Value};
use crate::op::math;
use crate::op::shape::{KEEP, REST, reshape, take, transpose, unsqueeze};

/// What a trunk knows of an image.
pub(crate) struct Features {
    /// Mean over the locations, `[batch, features]`.
    pub(crate) pooled: Value<f32, 2>,
    /// What it is the mean of.
    pub(crate) locations: Locations,
    /// Locations a side.
    pub(crate) side: usize,
}

/// Features at every location.
pub(crate) enum Locations {
    /// `[batch, features, rows, columns]`.
    Planes(Value<f32, 4>),
    /// `[batch, rows · columns, features]`, moved to raster order by a gather where they are not in it.
    Tokens(Value<f32, 3>, Option<Moves>),
}

impl Locations {
    /// `[batch, rows · columns, features]` in raster order.
    fn tokens(self, graph: &mut Graph, name: &str) -> Value<f32, 3> {
        match self {
            Self::Planes(planes) => {
                let flat = reshape(graph, &format!("{name}.flat"), planes, [KEEP, KEEP, REST]);
                transpose(graph, &format!("{name}.tokens"), flat, [0, 2, 1])
            }
            Self::Tokens(tokens, None) => tokens,
            Self::Tokens(tokens, Some(moves)) => take(graph, &format!("{name}.tokens"), tokens, 1, &moves),
        }
    }
}

/// `W fᵢ / ‖W f̄‖` of every location, `[batch, rows, columns, dim]`.
///
/// `weight` is `W` as `[features, dim]`, `length` is `[batch, 1]`.
pub(crate) fn map(
    graph: &mut Graph,
    name: &str,
    locations: Locations,
    [side, dim]: [usize; 2],
    weight: Value<f32, 2>,
    length: Value<f32, 2>,
) -> Value<f32, 4> {
    let tokens = locations.tokens(graph, name); // (B, N, F)
    let projected = math::matmul(graph, &format!("{name}.projected"), tokens, weight); // (B, N, D)
    let length: Value<f32, 3> = unsqueeze(graph, &format!("{name}.length"), length, &[2]); // (B, 1, 1)
    let scaled = math::div(graph, &format!("{name}.scaled"), projected, length);
    reshape(graph, name, scaled, [KEEP, side as i64, side as i64, dim as i64])
}
