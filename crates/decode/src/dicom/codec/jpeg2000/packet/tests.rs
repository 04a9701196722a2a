//! Packets of small films, as their encoder wrote them, in every other way there is, and damaged.

mod rewrite;

use std::fs;
use std::panic::catch_unwind;

use self::rewrite::{Film, Packing, Writing};
use super::bits::Bits;
use super::block::Block;
use super::tree::{Node, Shape};
use super::{Visitor, walk};
use crate::dicom::codec::jpeg2000::Decoder;
use crate::dicom::codec::jpeg2000::codestream::{self, Codestream};
use crate::dicom::codec::jpeg2000::style::{Change, Style};
use crate::dicom::codec::jpeg2000::work::Work;
use crate::dicom::problem::Problem;

const FILMS: [&str; 9] = ["lrcp", "rlcp", "rpcl", "pcrl", "cprl", "bypass", "termination", "flags", "layers"];

fn golden(name: &str) -> Vec<u8> {
    fs::read(format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn film(name: &str) -> Vec<u8> {
    golden(&format!("packets_{name}.j2k"))
}

fn read(stream: &[u8]) -> Result<Codestream<'_>, Problem> {
    let (bytes, size) = codestream::start(stream)?;
    Codestream::read(bytes, size)
}

/// What all blocks have.
#[derive(Debug, Default, PartialEq)]
struct Sum {
    blocks: u64,
    samples: u64,
    passes: u64,
    bytes: u64,
    /// The data of packets.
    data: u64,
}

impl Visitor for Sum {
    fn data(&mut self, _start: usize, data: &[u8], _style: &Style) {
        self.data += data.len() as u64;
    }

    fn block(&mut self, block: &Block, [columns, rows]: [u64; 2], _flags: u8) {
        self.blocks += 1;
        self.samples += columns * rows;
        self.passes += u64::from(block.passes);
        self.bytes += block.bytes;
    }
}

fn walked(stream: &[u8], decoder: Decoder) -> Result<(u64, Sum), Problem> {
    let mut sum = Sum::default();
    let packets = walk(&read(stream)?, decoder, &mut sum)?;
    Ok((packets, sum))
}

/// What the decoder makes of a codestream. It panics where it is damaged in some ways.
enum Decoded {
    Samples(Vec<Vec<f32>>),
    DamagedPackets,
    Damaged,
}

fn decoded(stream: &[u8]) -> Decoded {
    use hayro_jpeg2000::{DecodeError, DecodeSettings, DecoderContext, Image, TileError};
    let settings = DecodeSettings { resolve_palette_indices: false, strict: true, target_resolution: None };
    let result = catch_unwind(|| {
        let image = Image::new(stream, &settings)?;
        let mut context = DecoderContext::default();
        let decoded = image.decode(&mut context)?;
        Ok(decoded.components().iter().map(|plane| plane.samples().to_vec()).collect())
    });
    match result {
        Ok(Ok(samples)) => Decoded::Samples(samples),
        Ok(Err(DecodeError::Tile(TileError::Invalid))) => Decoded::DamagedPackets,
        _ => Decoded::Damaged,
    }
}

#[cfg(feature = "htj2k")]
fn decoded_by_other(stream: &[u8]) -> Decoded {
    use dicom_toolkit_jpeg2000::{DecodeError, DecodeSettings, Image, TileError};
    let settings = DecodeSettings { resolve_palette_indices: false, strict: true, target_resolution: None };
    match catch_unwind(|| Image::new(stream, &settings)?.decode_native()) {
        Ok(Ok(_)) => Decoded::Samples(Vec::new()),
        Ok(Err(DecodeError::Tile(TileError::Invalid))) => Decoded::DamagedPackets,
        _ => Decoded::Damaged,
    }
}

#[test]
fn all_packets_of_sound_films_are_read() {
    for name in FILMS {
        let stream = film(name);
        let codestream = read(&stream).unwrap();
        let expected = Work::of(&codestream).unwrap().packets;
        let [width, height] = codestream.size.image().map(u64::from);
        let samples = width * height * codestream.size.components.len() as u64;
        for decoder in [Decoder::Plain, Decoder::HighThroughput] {
            let (packets, sum) = walked(&stream, decoder).unwrap();
            assert_eq!(packets, expected, "{name}");
            assert_eq!(sum.samples, samples, "{name}");
            assert_eq!(sum.bytes, sum.data, "{name}");
            assert!(sum.passes > sum.blocks, "{name}: {sum:?}");
        }
        assert!(matches!(decoded(&stream), Decoded::Samples(_)), "{name}");
    }
}

#[test]
fn packets_are_read_in_every_order_and_from_every_place() {
    for name in ["cprl", "lrcp"] {
        let stream = film(name);
        let film = Film::read(&stream);
        let (packets, sum) = walked(&stream, Decoder::Plain).unwrap();
        let Decoded::Samples(samples) = decoded(&stream) else { panic!("{name}") };
        let packings =
            [Packing::None, Packing::Tile(1), Packing::Tile(5), Packing::Main(1), Packing::Main(3)];
        let mut count = 0;
        for order in 0..5 {
            for markers in [0, 2, 4, 6] {
                for packing in packings {
                    for parts in [1, 3] {
                        let writing = Writing { order, markers, packing, parts, ..Writing::default() };
                        let written = film.write(&writing);
                        let (now, again) = walked(&written, Decoder::Plain).unwrap();
                        assert_eq!((now, &again), (packets, &sum), "{name}, {writing:?}");
                        let Decoded::Samples(decoded) = decoded(&written) else {
                            panic!("{name}, {writing:?}")
                        };
                        assert_eq!(decoded, samples, "{name}, {writing:?}");
                        count += 1;
                    }
                }
            }
        }
        assert_eq!(count, 200);
    }
}

#[test]
fn packets_are_read_where_their_order_changes() {
    let stream = film("cprl");
    let film = Film::read(&stream);
    let (packets, sum) = walked(&stream, Decoder::Plain).unwrap();
    let Decoded::Samples(samples) = decoded(&stream) else { panic!() };
    let change = |resolutions, components, layers, order| Change { resolutions, components, layers, order };
    for changes in [
        vec![change(0..33, 0..256, 65_535, 3)],
        // Later changes skip what earlier ones had.
        vec![change(0..2, 0..3, 1, 1), change(0..3, 0..2, 2, 4), change(0..3, 0..3, 3, 3)],
        vec![change(1..3, 2..3, 3, 0), change(0..3, 0..3, 3, 2)],
        // One has no packets, and one has them all again.
        vec![change(1..1, 1..1, 3, 0), change(0..9, 0..9, 9, 0), change(0..9, 0..9, 9, 4)],
    ] {
        for in_tile in [false, true] {
            let writing = Writing { changes: changes.clone(), in_tile, parts: 2, ..Writing::default() };
            let written = film.write(&writing);
            assert_eq!(walked(&written, Decoder::Plain).unwrap(), (packets, Sum { ..sum }), "{writing:?}");
            let Decoded::Samples(decoded) = decoded(&written) else { panic!("{writing:?}") };
            assert_eq!(decoded, samples, "{writing:?}");
        }
    }
}

#[test]
fn what_is_damaged_for_decoders_is_damaged() {
    let mut state = 1_u32;
    let mut random = move |below: usize| {
        // Xorshift.
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as usize % below
    };
    let mut films: Vec<_> = FILMS.iter().map(|name| (*name, film(name))).collect();
    let colored = Film::read(&film("cprl"));
    let change = |layers, order| Change { resolutions: 0..3, components: 0..3, layers, order };
    for (name, writing) in [
        ("packed", Writing { packing: Packing::Tile(3), markers: 6, ..Writing::default() }),
        ("packed apart", Writing { packing: Packing::Main(2), parts: 3, order: 2, ..Writing::default() }),
        ("changed", Writing { changes: vec![change(1, 3), change(3, 4)], markers: 4, ..Writing::default() }),
    ] {
        films.push((name, colored.write(&writing)));
    }
    let mut refused = [0; 2];
    for (index, (name, stream)) in films.iter().cycle().take(films.len() * 200).enumerate() {
        let parts = read(stream).unwrap().parts.len();
        let mut stream = stream.clone();
        // Packets alone, so that it is they that are damaged; of a few films all.
        let packets = stream.windows(2).position(|pair| pair == [0xff, 0x93]).unwrap() + 2;
        let is_all = index % 5 == 0;
        let start = if is_all { 50 } else { packets };
        for _ in 0..=index % 3 {
            let at = start + random(stream.len() - 2 - start);
            stream[at] = match random(3) {
                0 => stream[at] ^ 1 << random(8),
                1 => [0, 0xff][random(2)],
                _ => random(256) as u8,
            };
        }
        let mut compare = |decoder, decoded| {
            // Headers that are refused before.
            let Ok(codestream) = read(&stream) else { return };
            let is_damaged = walk(&codestream, decoder, &mut Sum::default()).is_err();
            refused[usize::from(decoder == Decoder::HighThroughput)] += usize::from(is_damaged);
            match decoded {
                Decoded::Samples(_) => assert!(!is_damaged, "{name}, {index}, {decoder:?}"),
                // Headers may be damaged in ways that this is not to see.
                Decoded::DamagedPackets => {
                    assert!(is_damaged || is_all || parts > 1, "{name}, {index}, {decoder:?}");
                }
                Decoded::Damaged => {}
            }
        };
        compare(Decoder::Plain, decoded(&stream));
        #[cfg(feature = "htj2k")]
        compare(Decoder::HighThroughput, decoded_by_other(&stream));
    }
    assert!(refused[0] > 300, "{refused:?}");
}

/// Figure B.13.
#[test]
fn trees_are_read_as_in_the_standard() {
    let shape = Shape::new([6, 3]).unwrap();
    let mut nodes = vec![Node::default(); shape.nodes()];
    assert_eq!((shape.leaves(), shape.nodes()), (18, 18 + 6 + 2 + 1));
    let bytes = [0b0111_1001, 0b1010_0000];
    let mut bits = Bits::new(&bytes);
    let mut leaf = |x| shape.read(&mut nodes, [x, 0], u32::MAX, &mut bits);
    assert_eq!([leaf(0), leaf(1), leaf(2)], [Some(1), Some(3), Some(2)]);
    assert!(Shape::new([1 << 16, 2]).is_none());
}
