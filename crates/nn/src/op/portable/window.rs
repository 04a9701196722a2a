//! Windows that slide over pixels, and tokens that change places: all of them rows gathered by index, the same in every
//! image.

use candle_core::{D, Result, Tensor, bail};

use super::cast::{like, wide};
use crate::op::geometry::Geometry;
use crate::tape::Tape;

/// Row i of each image of the result is row `places[i]` of that image, or filled with `absent`.
///
/// `[batch · rows, width]` to `[batch · places, width]`.
fn gather(x: &Tensor, batch: usize, places: &[Option<usize>], absent: f64) -> Result<Tensor> {
    let (rows, width) = x.dims2()?;
    let each = rows / batch;
    let mut x = x.reshape((batch, each, width))?;
    if places.iter().any(Option::is_none) {
        let extra = Tensor::full(absent, (batch, 1, width), x.device())?.to_dtype(x.dtype())?;
        x = Tensor::cat(&[&x, &extra], 1)?;
    }
    let places: Vec<u32> = places.iter().map(|place| place.unwrap_or(each) as u32).collect();
    let count = places.len();
    x.index_select(&Tensor::new(places, x.device())?, 1)?.reshape((batch * count, width))
}

/// [`move_tokens`](crate::op::move_tokens()); `back` is the gradient's way.
pub(in crate::op) fn move_tokens(
    tape: &mut Tape,
    x: &Tensor,
    batch: usize,
    moves: &[Option<usize>],
    back: Vec<Option<usize>>,
) -> Result<Tensor> {
    let y = gather(&x.detach(), batch, moves, 0.0)?;
    tape.record(&[x], &y, move |gradient, _| Ok(vec![Some(gather(&gradient, batch, &back, 0.0)?)]));
    Ok(y)
}

/// [`patches`](crate::op::patches()).
pub(in crate::op) fn patches(tape: &mut Tape, x: &Tensor, geometry: Geometry) -> Result<Tensor> {
    let y = unfolded(&x.detach(), geometry, 0.0)?.flatten_from(1)?;
    tape.record(&[x], &y, move |gradient, _| Ok(vec![Some(folded(&gradient, geometry)?)]));
    Ok(y)
}

/// [`depthwise_conv`](crate::op::depthwise_conv()).
pub(in crate::op) fn depthwise_conv(
    tape: &mut Tape,
    x: &Tensor,
    weight: &Tensor,
    geometry: Geometry,
) -> Result<Tensor> {
    let (_, channels) = x.dims2()?;
    let Geometry { kernel, .. } = geometry;
    if weight.dims() != [channels, 1, kernel, kernel] {
        bail!("depthwise convolution of {:?} by {:?} with {geometry:?}", x.dims(), weight.dims());
    }
    let kept = x.detach();
    let taps = like(weight, x)?.reshape((channels, kernel * kernel))?.t()?.contiguous()?; // (k², C)
    let product = unfolded(&kept, geometry, 0.0)?.broadcast_mul(&taps)?;
    let y = wide(&product)?.sum(1)?.to_dtype(x.dtype())?;
    let parameter = weight.dtype();
    tape.record(&[x, weight], &y, move |gradient, needed| {
        let gradient = gradient.unsqueeze(1)?; // (B·OH·OW, 1, C)
        let dx = needed[0].then(|| folded(&gradient.broadcast_mul(&taps)?.flatten_from(1)?, geometry));
        let dtaps = wide(&unfolded(&kept, geometry, 0.0)?.broadcast_mul(&gradient)?)?.sum(0)?;
        let dweight = dtaps.t()?.contiguous()?.reshape((channels, 1, kernel, kernel))?;
        Ok(vec![dx.transpose()?, Some(dweight.to_dtype(parameter)?)])
    });
    Ok(y)
}

/// [`max_pool`](crate::op::max_pool()).
pub(in crate::op) fn max_pool(tape: &mut Tape, x: &Tensor, geometry: Geometry) -> Result<Tensor> {
    let kept = x.detach();
    let y = unfolded(&kept, geometry, f64::NEG_INFINITY)?.max(1)?;
    tape.record(&[x], &y, move |gradient, _| {
        let first = unfolded(&kept, geometry, f64::NEG_INFINITY)?.argmax_keepdim(1)?; // (B·OH·OW, 1, C)
        let taps = Tensor::arange(0, (geometry.kernel * geometry.kernel) as u32, kept.device())?;
        let chosen = first.broadcast_eq(&taps.reshape((1, (), 1))?)?.to_dtype(gradient.dtype())?;
        Ok(vec![Some(folded(&chosen.broadcast_mul(&gradient.unsqueeze(1)?)?.flatten_from(1)?, geometry)?)])
    });
    Ok(y)
}

/// The pixels under the kernel at every place: `[batch · out_height · out_width, kernel², channels]`.
fn unfolded(x: &Tensor, geometry: Geometry, absent: f64) -> Result<Tensor> {
    let (rows, channels) = x.dims2()?;
    let Geometry { batch, height, width, kernel, .. } = geometry;
    if rows != batch * height * width {
        bail!("windows over {rows} pixels with {geometry:?}");
    }
    gather(x, batch, &pixels_under(&geometry), absent)?.reshape(((), kernel * kernel, channels))
}

/// Every pixel's sum over its copies in `[batch · out_height · out_width, kernel² · channels]`.
fn folded(copies: &Tensor, geometry: Geometry) -> Result<Tensor> {
    let taps = geometry.kernel * geometry.kernel;
    let channels = copies.dim(D::Minus1)? / taps;
    let copies = copies.contiguous()?.reshape(((), channels))?;
    let found = gather(&copies, geometry.batch, &copies_of(&geometry), 0.0)?.reshape(((), taps, channels))?;
    wide(&found)?.sum(1)?.to_dtype(copies.dtype())
}

/// For every place and tap, the pixel of one image; none where that is padding.
fn pixels_under(geometry: &Geometry) -> Vec<Option<usize>> {
    let Geometry { height, width, kernel, stride, .. } = *geometry;
    let (pad_y, pad_x) = geometry.pad_before();
    let at = |out: usize, tap: usize, pad: usize, size: usize| {
        (out * stride + tap).checked_sub(pad).filter(|position| *position < size)
    };
    let mut pixels = Vec::new();
    for (oy, ox) in grid(geometry.out_height(), geometry.out_width()) {
        for (ky, kx) in grid(kernel, kernel) {
            let place = at(oy, ky, pad_y, height).zip(at(ox, kx, pad_x, width));
            pixels.push(place.map(|(y, x)| y * width + x));
        }
    }
    pixels
}

/// For every pixel of one image and tap, where [`pixels_under`] has that pixel under that tap; none where it has not.
fn copies_of(geometry: &Geometry) -> Vec<Option<usize>> {
    let Geometry { height, width, kernel, stride, .. } = *geometry;
    let (out_height, out_width) = (geometry.out_height(), geometry.out_width());
    let (pad_y, pad_x) = geometry.pad_before();
    let at = |position: usize, tap: usize, pad: usize, outputs: usize| {
        let start = (position + pad).checked_sub(tap)?;
        (start.is_multiple_of(stride) && start / stride < outputs).then_some(start / stride)
    };
    let mut copies = Vec::new();
    for (y, x) in grid(height, width) {
        for (ky, kx) in grid(kernel, kernel) {
            let place = at(y, ky, pad_y, out_height).zip(at(x, kx, pad_x, out_width));
            copies.push(place.map(|(oy, ox)| ((oy * out_width + ox) * kernel + ky) * kernel + kx));
        }
    }
    copies
}

/// Raster order.
fn grid(rows: usize, columns: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).flat_map(move |row| (0..columns).map(move |column| (row, column)))
}
