//! Makes JPEG 2000 codestreams whose headers ask for anything.

/// A codestream of one or more tiles. Side lengths of blocks and precincts are exponents of two.
#[derive(Debug, Clone)]
pub struct Codestream {
    pub size: [u32; 2],
    pub tile: [u32; 2],
    pub components: u16,
    pub precision: u8,
    pub style: Style,
    pub high_throughput: bool,
    /// Segments of the main header behind the coding style.
    pub main: Vec<u8>,
    /// Segments of the header of the first tile-part.
    pub first: Vec<u8>,
    /// What each tile-part holds.
    pub data: Vec<u8>,
}

/// A coding style.
#[derive(Debug, Clone)]
pub struct Style {
    pub layers: u16,
    pub levels: u8,
    pub block: [u8; 2],
    pub flags: u8,
    pub order: u8,
    pub precincts: Vec<[u8; 2]>,
}

impl Style {
    pub fn new(levels: u8, block: [u8; 2]) -> Self {
        Self { layers: 1, levels, block, flags: 0, order: 0, precincts: Vec::new() }
    }

    /// Bytes from the number of levels on.
    fn parameters(&self) -> Vec<u8> {
        let mut bytes = vec![self.levels, self.block[0] - 2, self.block[1] - 2, self.flags, 1];
        bytes.extend(self.precincts.iter().map(|[width, height]| height << 4 | width));
        bytes
    }

    fn has_precincts(&self) -> u8 {
        u8::from(!self.precincts.is_empty())
    }

    /// Of all components (COD).
    pub fn segment(&self) -> Vec<u8> {
        let [high, low] = self.layers.to_be_bytes();
        let body = [&[self.has_precincts(), self.order, high, low, 0][..], &self.parameters()].concat();
        segment(0xff52, &body)
    }

    /// Of the first component (COC).
    pub fn of_component(&self) -> Vec<u8> {
        segment(0xff53, &[&[0, self.has_precincts()][..], &self.parameters()].concat())
    }
}

/// Changes of progression (POC), each from the first resolution and component to the last.
pub fn changes(count: usize, order: u8) -> Vec<u8> {
    segment(0xff5f, &[0, 0, 0, 1, 33, 0, order].repeat(count))
}

pub fn segment(code: u16, body: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes()[..], &(body.len() as u16 + 2).to_be_bytes(), body].concat()
}

impl Codestream {
    /// One tile, one component of 12 bits, an empty packet.
    pub fn new(size: [u32; 2], style: Style) -> Self {
        Self {
            size,
            tile: size,
            components: 1,
            precision: 12,
            style,
            high_throughput: false,
            main: Vec::new(),
            first: Vec::new(),
            data: vec![0],
        }
    }

    pub fn tiles(&self) -> usize {
        let along = |axis: usize| self.size[axis].div_ceil(self.tile[axis]) as usize;
        along(0) * along(1)
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut size = vec![0, if self.high_throughput { 0x40 } else { 0 }];
        for pair in [self.size, [0, 0], self.tile, [0, 0]] {
            size.extend(pair.iter().flat_map(|side| side.to_be_bytes()));
        }
        size.extend(self.components.to_be_bytes());
        size.extend([self.precision - 1, 1, 1].repeat(self.components.into()));
        let mut stream = vec![0xff, 0x4f];
        stream.extend(segment(0xff51, &size));
        if self.high_throughput {
            stream.extend(segment(0xff50, &[0, 2, 0, 0, 0, 0]));
        }
        stream.extend(self.style.segment());
        // Two guard bits, and as many exponents as any style wants.
        let exponents = [&[2 << 5][..], &[self.precision << 3; 97]].concat();
        stream.extend(segment(0xff5c, &exponents));
        stream.extend(&self.main);
        for tile in 0..self.tiles() {
            let header = if tile == 0 { &self.first[..] } else { &[] };
            let len = 12 + header.len() + 2 + self.data.len();
            stream.extend([0xff, 0x90, 0, 10]);
            stream.extend((tile as u16).to_be_bytes());
            stream.extend((len as u32).to_be_bytes());
            stream.extend([0, 1]);
            stream.extend(header);
            stream.extend([0xff, 0x93]);
            stream.extend(&self.data);
        }
        stream.extend([0xff, 0xd9]);
        stream
    }
}
