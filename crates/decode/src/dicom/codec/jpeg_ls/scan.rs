//! The samples of a scan.

use super::Interleave;
use super::bits::Bits;
use super::context::{Context, Parameters, RunContext};
use crate::dicom::problem::Problem;

/// Bits of a run's length, by how long runs were.
const RUN_BITS: [u32; 32] =
    [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const CONTEXTS: usize = 365;

/// What a scan holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) components: usize,
    pub(super) interleave: Interleave,
}

impl Scan {
    /// Writes components `first` and after of `image`, whose pixels have `samples` samples.
    pub(super) fn decode(
        self,
        bytes: &[u8],
        parameters: &Parameters,
        image: &mut [u16],
        first: usize,
        samples: usize,
    ) -> Result<(), Problem> {
        let mut coder = Coder {
            bits: Bits::new(bytes),
            parameters,
            contexts: vec![Context::new(parameters); CONTEXTS],
            runs: [RunContext::new(parameters, 0), RunContext::new(parameters, 1)],
        };
        // A sample of margin on both sides; above the first line are zeros.
        let mut above = vec![vec![0_i32; self.width + 2]; self.components];
        let mut line = above.clone();
        let mut run_index = vec![0_usize; self.components];
        for y in 0..self.height {
            for component in 0..self.components {
                let width = self.width;
                above[component][width + 1] = above[component][width];
                line[component][0] = above[component][1];
            }
            let complete = match self.interleave {
                Interleave::Sample => coder.pixels(&above, &mut line, self.width, &mut run_index[0]),
                Interleave::None | Interleave::Line => (0..self.components).try_for_each(|component| {
                    let (above, line) = (&above[component], &mut line[component]);
                    coder.line(above, line, self.width, &mut run_index[component])
                }),
            };
            complete.ok_or_else(|| coder.bits.lack(y, self.height))?;
            for (component, line) in line.iter().enumerate() {
                let start = y * self.width * samples + first + component;
                let target = image[start..].iter_mut().step_by(samples);
                for (target, &sample) in target.zip(&line[1..=self.width]) {
                    *target = sample as u16;
                }
            }
            std::mem::swap(&mut above, &mut line);
        }
        Ok(())
    }
}

struct Coder<'a> {
    bits: Bits<'a>,
    parameters: &'a Parameters,
    contexts: Vec<Context>,
    runs: [RunContext; 2],
}

/// A sample's neighbors: left, above, and above to both sides.
#[derive(Clone, Copy)]
struct Neighbors {
    left: i32,
    above: i32,
    above_left: i32,
    above_right: i32,
}

impl Neighbors {
    fn of(above: &[i32], line: &[i32], x: usize) -> Self {
        Self { left: line[x - 1], above: above[x], above_left: above[x - 1], above_right: above[x + 1] }
    }

    /// Edge-detecting prediction.
    fn prediction(self) -> i32 {
        let (low, high) = (self.left.min(self.above), self.left.max(self.above));
        if self.above_left >= high {
            low
        } else if self.above_left <= low {
            high
        } else {
            self.left + self.above - self.above_left
        }
    }
}

impl Coder<'_> {
    /// A line of one component; samples are `line[1..=width]`. None where the bits are used up.
    fn line(&mut self, above: &[i32], line: &mut [i32], width: usize, run_index: &mut usize) -> Option<()> {
        let mut x = 1;
        while x <= width {
            let around = Neighbors::of(above, line, x);
            let context = self.context(around);
            if context != 0 {
                line[x] = self.regular(around, context)?;
                x += 1;
                continue;
            }
            let run = self.run(width + 1 - x, run_index)?;
            line[x..x + run].fill(around.left);
            x += run;
            if x <= width {
                line[x] = self.interruption(Neighbors::of(above, line, x), *run_index)?;
                *run_index = run_index.saturating_sub(1);
                x += 1;
            }
        }
        Some(())
    }

    /// A line of all components, pixel by pixel.
    fn pixels(
        &mut self,
        above: &[Vec<i32>],
        line: &mut [Vec<i32>],
        width: usize,
        run_index: &mut usize,
    ) -> Option<()> {
        let components = line.len();
        let mut x = 1;
        while x <= width {
            let around = |line: &[Vec<i32>], component: usize, x| {
                Neighbors::of(&above[component], &line[component], x)
            };
            if (0..components).any(|component| self.context(around(line, component, x)) != 0) {
                for component in 0..components {
                    let around = around(line, component, x);
                    line[component][x] = self.regular(around, self.context(around))?;
                }
                x += 1;
                continue;
            }
            let run = self.run(width + 1 - x, run_index)?;
            for samples in line.iter_mut() {
                let left = samples[x - 1];
                samples[x..x + run].fill(left);
            }
            x += run;
            if x <= width {
                for component in 0..components {
                    line[component][x] = self.interruption_above(around(line, component, x), *run_index)?;
                }
                *run_index = run_index.saturating_sub(1);
                x += 1;
            }
        }
        Some(())
    }

    /// Number of a context, negative where its errors have the other sign; 0 in a run.
    fn context(&self, around: Neighbors) -> i32 {
        let Neighbors { left, above, above_left, above_right } = around;
        let class = |gradient| self.parameters.class(gradient);
        81 * class(above_right - above) + 9 * class(above - above_left) + class(above_left - left)
    }

    fn regular(&mut self, around: Neighbors, context: i32) -> Option<i32> {
        let parameters = self.parameters;
        let sign = if context < 0 { -1 } else { 1 };
        let context = &mut self.contexts[context.unsigned_abs() as usize];
        let prediction = (around.prediction() + sign * context.correction).clamp(0, parameters.max_value);
        let golomb = context.golomb();
        let number = code(&mut self.bits, golomb, parameters.limit, parameters.bits)?;
        let error = context.error(number, golomb, parameters.near);
        context.update(error, parameters);
        Some(parameters.sample(prediction, sign * error))
    }

    /// Length of a run, at most `room`.
    fn run(&mut self, room: usize, run_index: &mut usize) -> Option<usize> {
        let mut run = 0;
        while self.bits.bit()? {
            let step = 1 << RUN_BITS[*run_index];
            if run + step <= room {
                *run_index = (*run_index + 1).min(RUN_BITS.len() - 1);
            }
            run = (run + step).min(room);
            if run == room {
                return Some(run);
            }
        }
        let rest = self.bits.take(RUN_BITS[*run_index])? as usize;
        // The sample that ends the run has to fit, too.
        (run + rest < room).then_some(run + rest)
    }

    /// The sample after a run.
    fn interruption(&mut self, around: Neighbors, run_index: usize) -> Option<i32> {
        if (around.left - around.above).abs() > self.parameters.near {
            return self.interruption_above(around, run_index);
        }
        let error = self.run_error(1, run_index)?;
        Some(self.parameters.sample(around.left, error))
    }

    /// The same, predicted from above.
    fn interruption_above(&mut self, around: Neighbors, run_index: usize) -> Option<i32> {
        let error = self.run_error(0, run_index)?;
        let sign = if around.left > around.above { -1 } else { 1 };
        Some(self.parameters.sample(around.above, sign * error))
    }

    fn run_error(&mut self, kind: usize, run_index: usize) -> Option<i32> {
        let parameters = self.parameters;
        let context = &mut self.runs[kind];
        let golomb = context.golomb();
        let limit = parameters.limit - RUN_BITS[run_index] - 1;
        let number = code(&mut self.bits, golomb, limit, parameters.bits)?;
        Some(context.error(number, golomb, parameters))
    }
}

/// A code word of limited length: quotient in zeros, remainder in `golomb` bits, or, after the most zeros, the number itself.
fn code(bits: &mut Bits<'_>, golomb: u32, limit: u32, number_bits: u32) -> Option<u32> {
    let most = limit.checked_sub(number_bits + 1)?;
    let zeros = bits.zeros(most)?;
    let number =
        if zeros < most { zeros << golomb | bits.take(golomb)? } else { bits.take(number_bits)? + 1 };
    // Errors have two signs and no more than `number_bits` bits.
    (number <= 2 << number_bits).then_some(number)
}
