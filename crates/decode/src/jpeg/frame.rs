//! Frame and scan headers.

use super::Fault;

/// How samples are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Process {
    /// Baseline and extended, with Huffman codes.
    Sequential,
    Progressive,
    Lossless,
    /// Hierarchical, or with arithmetic codes.
    Other,
}

/// Size and components.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) process: Process,
    pub(super) precision: u8,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) components: Vec<Component>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Component {
    id: u8,
    pub(super) horizontal: u32,
    pub(super) vertical: u32,
}

impl Frame {
    pub(super) fn read(code: u8, body: &[u8]) -> Result<Self, Fault> {
        let process = match code {
            0xc0 | 0xc1 => Process::Sequential,
            0xc2 => Process::Progressive,
            0xc3 => Process::Lossless,
            _ => Process::Other,
        };
        let short = Fault::Header("a frame header that is too short");
        let Some(&[precision, h1, h0, w1, w0, count]) = body.first_chunk() else { return Err(short) };
        let (count, rest) = (usize::from(count), body[6..].as_chunks().0);
        let components: Vec<_> = rest
            .iter()
            .take(count)
            .map(|&[id, sampling, _]| Component {
                id,
                horizontal: u32::from(sampling >> 4),
                vertical: u32::from(sampling & 15),
            })
            .collect();
        if components.is_empty() || components.len() != count || count > 4 {
            return Err(short);
        }
        if components
            .iter()
            .any(|part| !(1..=4).contains(&part.horizontal) || !(1..=4).contains(&part.vertical))
        {
            return Err(Fault::Header("impossible sampling factors"));
        }
        let height = u32::from(u16::from_be_bytes([h1, h0]));
        let width = u32::from(u16::from_be_bytes([w1, w0]));
        if width == 0 || height == 0 {
            return Err(Fault::Header("no columns or leaves the number of its rows to a later marker (DNL)"));
        }
        Ok(Self { process, precision, width, height, components })
    }

    /// Largest sampling factors.
    pub(super) fn most(&self) -> (u32, u32) {
        self.components.iter().fold((1, 1), |(horizontal, vertical), part| {
            (horizontal.max(part.horizontal), vertical.max(part.vertical))
        })
    }

    /// Columns and rows of a component's own units of `side` samples, without those that only fill up an MCU.
    pub(super) fn units(&self, component: &Component, side: u32) -> (usize, usize) {
        let (horizontal, vertical) = self.most();
        let columns = (self.width * component.horizontal).div_ceil(horizontal).div_ceil(side);
        let rows = (self.height * component.vertical).div_ceil(vertical).div_ceil(side);
        (columns as usize, rows as usize)
    }

    /// Columns and rows of interleaved MCUs of units of `side` samples.
    pub(super) fn mcus(&self, side: u32) -> (usize, usize) {
        let (horizontal, vertical) = self.most();
        let columns = self.width.div_ceil(horizontal * side);
        (columns as usize, self.height.div_ceil(vertical * side) as usize)
    }
}

/// What a scan holds.
#[derive(Debug, Clone)]
pub(super) struct Scan {
    pub(super) components: Vec<ScanComponent>,
    /// First and last coefficient, or the predictor.
    pub(super) first: u8,
    pub(super) last: u8,
    /// Bits that earlier scans left out, and that this one leaves out.
    pub(super) high: u8,
    pub(super) low: u8,
}

/// A component of a scan.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScanComponent {
    /// Its place in the frame.
    pub(super) place: usize,
    pub(super) dc: usize,
    pub(super) ac: usize,
}

impl Scan {
    /// What the parameters of a sequential scan have to be.
    pub(super) const SEQUENTIAL: [u8; 3] = [0, 63, 0];

    pub(super) fn read(frame: &Frame, body: &[u8]) -> Result<Self, Fault> {
        let wrong = Fault::Header("a scan header that contradicts its length or its frame");
        let count = body.first().map_or(0, |&count| usize::from(count));
        let Some((selectors, &[first, last, bits])) =
            body.get(1..).and_then(|rest| rest.split_at_checked(2 * count)).and_then(|(selectors, rest)| {
                rest.first_chunk().filter(|_| rest.len() == 3).map(|rest| (selectors, rest))
            })
        else {
            return Err(wrong);
        };
        let mut components = Vec::with_capacity(count);
        for &[id, tables] in selectors.as_chunks().0 {
            let place = frame.components.iter().position(|component| component.id == id);
            let place = place.ok_or(wrong.clone())?;
            if tables & 15 > 3 || tables >> 4 > 3 {
                return Err(wrong);
            }
            components.push(ScanComponent {
                place,
                dc: usize::from(tables >> 4),
                ac: usize::from(tables & 15),
            });
        }
        if components.is_empty() || count > 4 {
            return Err(wrong);
        }
        Ok(Self { components, first, last, high: bits >> 4, low: bits & 15 })
    }

    /// Whether its parameters are those of a sequential scan. Its data never depends on them.
    pub(super) fn is_sequential(&self) -> bool {
        [self.first, self.last, self.high << 4 | self.low] == Self::SEQUENTIAL
    }
}
