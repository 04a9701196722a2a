//! Coding parameters and the statistics of contexts.

/// What a scan is coded with. Names follow the standard.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameters {
    pub(super) max_value: i32,
    pub(super) near: i32,
    /// Width of an error's quantization: 2·near + 1.
    pub(super) step: i32,
    pub(super) range: i32,
    /// Bits of an error.
    pub(super) bits: u32,
    /// Longest code word.
    pub(super) limit: u32,
    pub(super) thresholds: [i32; 3],
    pub(super) reset: i32,
}

impl Parameters {
    /// Defaults (annex C.2.4.1.1) where a value is 0; none where values contradict each other.
    pub(super) fn new(
        precision: u8,
        max_value: i32,
        near: i32,
        thresholds: [i32; 3],
        reset: i32,
    ) -> Option<Self> {
        let max_value = if max_value == 0 { (1 << precision) - 1 } else { max_value };
        if max_value >= 1 << precision || near > 255.min(max_value / 2) {
            return None;
        }
        let defaults = default_thresholds(max_value, near);
        let [t1, t2, t3] = [0, 1, 2].map(|i| if thresholds[i] == 0 { defaults[i] } else { thresholds[i] });
        let reset = if reset == 0 { 64 } else { reset };
        if !(near < t1
            && t1 <= t2
            && t2 <= t3
            && t3 <= max_value
            && (3..=255.max(max_value)).contains(&reset))
        {
            return None;
        }
        let step = 2 * near + 1;
        let range = (max_value + 2 * near) / step + 1;
        let bits_of = |values: i32| (values - 1).checked_ilog2().map_or(0, |log| log + 1);
        let sample_bits = bits_of(max_value + 1).max(2);
        let limit = 2 * (sample_bits + sample_bits.max(8));
        Some(Self {
            max_value,
            near,
            step,
            range,
            bits: bits_of(range),
            limit,
            thresholds: [t1, t2, t3],
            reset,
        })
    }

    /// Class of a gradient, −4 to 4.
    pub(super) fn class(&self, gradient: i32) -> i32 {
        let [t1, t2, t3] = self.thresholds;
        let size = gradient.abs();
        let class = if size <= self.near {
            0
        } else if size < t1 {
            1
        } else if size < t2 {
            2
        } else if size < t3 {
            3
        } else {
            4
        };
        class * gradient.signum()
    }

    /// A sample from its prediction and quantized error.
    pub(super) fn sample(&self, prediction: i32, error: i32) -> i32 {
        let mut sample = prediction + error * self.step;
        if sample < -self.near {
            sample += self.range * self.step;
        } else if sample > self.max_value + self.near {
            sample -= self.range * self.step;
        }
        sample.clamp(0, self.max_value)
    }
}

fn default_thresholds(max_value: i32, near: i32) -> [i32; 3] {
    let clamp = |value: i32, low: i32| if value > max_value || value < low { low } else { value };
    let (t1, t2, t3) = if max_value >= 128 {
        let factor = (max_value.min(4095) + 128) / 256;
        (factor + 2 + 3 * near, 4 * factor + 3 + 5 * near, 17 * factor + 4 + 7 * near)
    } else {
        let factor = 256 / (max_value + 1);
        ((3 / factor + 3 * near).max(2), (7 / factor + 5 * near).max(3), (21 / factor + 7 * near).max(4))
    };
    let t1 = clamp(t1, near + 1);
    let t2 = clamp(t2, t1);
    [t1, t2, clamp(t3, t2)]
}

/// Statistics of regular samples of a context: A, B, C and N of the standard.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    magnitude: i64,
    bias: i64,
    pub(super) correction: i32,
    count: i64,
}

impl Context {
    pub(super) fn new(parameters: &Parameters) -> Self {
        Self { magnitude: first_magnitude(parameters), bias: 0, correction: 0, count: 1 }
    }

    /// Bits of a code word's remainder.
    pub(super) fn golomb(&self) -> u32 {
        golomb(self.count, self.magnitude)
    }

    /// The error that a code word's number stands for, without this context's sign.
    pub(super) fn error(&self, number: u32, golomb: u32, near: i32) -> i32 {
        let half = (number >> 1) as i32;
        let error = if number & 1 == 0 { half } else { -half - 1 };
        let turned = near == 0 && golomb == 0 && 2 * self.bias <= -self.count;
        if turned { -error - 1 } else { error }
    }

    pub(super) fn update(&mut self, error: i32, parameters: &Parameters) {
        self.magnitude += i64::from(error.abs());
        self.bias += i64::from(error * parameters.step);
        if self.count == i64::from(parameters.reset) {
            self.magnitude >>= 1;
            self.bias >>= 1;
            self.count >>= 1;
        }
        self.count += 1;
        if self.bias <= -self.count {
            self.bias = (self.bias + self.count).max(1 - self.count);
            self.correction = (self.correction - 1).max(-128);
        } else if self.bias > 0 {
            self.bias = (self.bias - self.count).min(0);
            self.correction = (self.correction + 1).min(127);
        }
    }
}

/// Statistics of samples that end a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunContext {
    magnitude: i64,
    count: i64,
    negative: i64,
    /// 1 where the sample above is like the run.
    kind: i64,
}

impl RunContext {
    pub(super) fn new(parameters: &Parameters, kind: i64) -> Self {
        Self { magnitude: first_magnitude(parameters), count: 1, negative: 0, kind }
    }

    pub(super) fn golomb(&self) -> u32 {
        golomb(self.count, self.magnitude + if self.kind == 1 { self.count >> 1 } else { 0 })
    }

    /// The error of a code word's number, taken into the statistics.
    pub(super) fn error(&mut self, number: u32, golomb: u32, parameters: &Parameters) -> i32 {
        let number = i64::from(number);
        let folded = number + self.kind;
        let odd = folded & 1 == 1;
        // Half of it, rounded up.
        let size = i64::midpoint(folded, i64::from(odd));
        let error = if (golomb != 0 || 2 * self.negative >= self.count) == odd { -size } else { size };
        if error < 0 {
            self.negative += 1;
        }
        self.magnitude += (number + 1 - self.kind) >> 1;
        if self.count == i64::from(parameters.reset) {
            self.magnitude >>= 1;
            self.count >>= 1;
            self.negative >>= 1;
        }
        self.count += 1;
        error as i32
    }
}

fn first_magnitude(parameters: &Parameters) -> i64 {
    i64::from((parameters.range + 32) / 64).max(2)
}

fn golomb(count: i64, magnitude: i64) -> u32 {
    let mut bits = 0;
    while bits < 24 && count << bits < magnitude {
        bits += 1;
    }
    bits
}
