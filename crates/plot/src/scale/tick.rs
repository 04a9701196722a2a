//! Values that are marked on an axis.

/// Most marks on an evenly spaced axis, ends aside.
const MARKS: f64 = 6.0;
/// Decades up to which 2 and 5 of each are marked.
const DETAILED_DECADES: f64 = 2.5;
/// Most decades that are all marked.
const DECADES: i32 = 9;

/// A value and how it is written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub(crate) value: f64,
    pub(crate) label: String,
}

impl Tick {
    pub(crate) fn plain(value: f64) -> Self {
        Self { value, label: label(value) }
    }
}

/// Multiples of 1, 2 or 5 times a power of ten, the outer ones at or beyond the ends.
pub(super) fn steps(low: f64, high: f64) -> Vec<Tick> {
    let rough = (high / MARKS - low / MARKS).max(f64::MIN_POSITIVE);
    let power = rough.log10().floor();
    let unit = 10_f64.powf(power);
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * unit >= rough * (1.0 - 1e-9));
    let step = factor.unwrap_or(10.0) * unit;
    let (first, last) = ((low / step + 1e-9).floor(), (high / step - 1e-9).ceil());
    let count = (last - first).clamp(0.0, 2.0 * MARKS) as u32;
    (0..=count)
        .map(|index| (first + f64::from(index)) * step)
        .filter(|value| value.is_finite())
        .map(|value| {
            // The product of a whole number and the step may lie a rounding error beside the value it means.
            let digits = (value.abs() / step).max(1.0).log10().ceil() as usize + 2;
            format!("{value:.digits$e}").parse().map_or_else(|_| Tick::plain(value), Tick::plain)
        })
        .collect()
}

/// Powers of ten between the ends; 2 and 5 times them where there are few.
pub(super) fn decades(low: f64, high: f64) -> Vec<Tick> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let factors: &[u32] = if high.log10() - low.log10() <= DETAILED_DECADES { &[1, 2, 5] } else { &[1] };
    let stride = ((last - first) / DECADES + 1) as usize;
    let is_within = |value: f64| (low * (1.0 - 1e-9)..=high * (1.0 + 1e-9)).contains(&value);
    (first..=last)
        .step_by(stride)
        .flat_map(|power| factors.iter().map(move |factor| format!("{factor}e{power}")))
        .filter_map(|text| text.parse().ok())
        .filter(|value| is_within(*value))
        .map(Tick::plain)
        .collect()
}

/// `0.25`, `40000`, `5e-6`.
fn label(value: f64) -> String {
    let magnitude = value.abs();
    if value == 0.0 {
        "0".to_owned()
    } else if (1e-3..1e6).contains(&magnitude) {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}
