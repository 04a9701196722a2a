//! Compressed pages, with decoders in Rust alone and within a limit: a page's own header is not believed.

use std::io::Read;

use flate2::bufread::MultiGzDecoder;
use parquet::basic::Compression;
use ruzstd::decoding::StreamingDecoder;

/// Unpacks a page.
///
/// # Errors
/// What is wrong, or that it has more than `limit` bytes.
pub(super) fn unpack(codec: Compression, packed: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    // A page of nulls alone may have nothing to unpack.
    if packed.is_empty() {
        return Ok(Vec::new());
    }
    match codec {
        Compression::UNCOMPRESSED => Ok(packed.to_vec()),
        Compression::SNAPPY => snappy(packed, limit),
        Compression::GZIP(_) => to_limit(MultiGzDecoder::new(packed), limit),
        Compression::ZSTD(_) => zstd(packed, limit),
        Compression::LZ4_RAW => lz4(packed, limit),
        Compression::LZ4 => hadoop(packed, limit),
        Compression::BROTLI(_) => to_limit(brotli_decompressor::Decompressor::new(packed, 4096), limit),
        Compression::LZO => {
            Err("it is compressed with LZO, which is not read; write it with zstd or Snappy".to_owned())
        }
    }
}

fn too_large(limit: usize) -> String {
    format!("a page has more than {limit} bytes when it is unpacked")
}

fn to_limit(reader: impl Read, limit: usize) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    reader.take(limit as u64 + 1).read_to_end(&mut out).map_err(|error| error.to_string())?;
    if out.len() > limit { Err(too_large(limit)) } else { Ok(out) }
}

fn snappy(packed: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    let length = snap::raw::decompress_len(packed).map_err(|error| error.to_string())?;
    if length > limit {
        return Err(too_large(limit));
    }
    snap::raw::Decoder::new().decompress_vec(packed).map_err(|error| error.to_string())
}

/// Frames, one after the other.
fn zstd(mut packed: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    while !packed.is_empty() {
        let mut decoder = StreamingDecoder::new(&mut packed).map_err(|error| error.to_string())?;
        let left = limit + 1 - out.len();
        Read::by_ref(&mut decoder)
            .take(left as u64)
            .read_to_end(&mut out)
            .map_err(|error| error.to_string())?;
        if out.len() > limit {
            return Err(too_large(limit));
        }
    }
    Ok(out)
}

/// A block, which does not say how long it is unpacked: 255 times as long at most.
fn lz4(packed: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    let mut length = packed.len().saturating_mul(4).max(1 << 16);
    loop {
        length = length.min(limit);
        match lz4_flex::block::decompress(packed, length) {
            Ok(out) => return Ok(out),
            Err(lz4_flex::block::DecompressError::OutputTooSmall { .. }) if length < limit => {
                length = length.saturating_mul(8);
            }
            Err(lz4_flex::block::DecompressError::OutputTooSmall { .. }) => return Err(too_large(limit)),
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// Hadoop's frames: both lengths, big endian, and a block.
fn hadoop(mut packed: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    let wrong = || {
        "it is compressed with an old form of LZ4 that is not read; write it with zstd or Snappy".to_owned()
    };
    let mut out = Vec::new();
    while !packed.is_empty() {
        let mut length = || {
            let (number, rest) = packed.split_first_chunk::<4>()?;
            packed = rest;
            Some(u32::from_be_bytes(*number) as usize)
        };
        let (unpacked, length) = length().zip(length()).ok_or_else(wrong)?;
        let (block, rest) = packed.split_at_checked(length).ok_or_else(wrong)?;
        packed = rest;
        if unpacked > limit - out.len() {
            return Err(too_large(limit));
        }
        let block = lz4(block, unpacked.max(1)).map_err(|_| wrong())?;
        out.extend_from_slice(&block);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use parquet::basic::{BrotliLevel, GzipLevel, ZstdLevel};
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(bytes).unwrap();
        gzip.finish().unwrap()
    }

    fn hadoop_of(bytes: &[u8]) -> Vec<u8> {
        let block = lz4_flex::block::compress(bytes);
        [&(bytes.len() as u32).to_be_bytes()[..], &(block.len() as u32).to_be_bytes(), &block].concat()
    }

    #[test]
    fn what_unpacks_to_more_than_the_limit_is_refused() {
        let text = b"No effusion. ".repeat(5000);
        let zstd = |bytes: &[u8]| compress_to_vec(bytes, CompressionLevel::Fastest);
        let packed = [
            (Compression::UNCOMPRESSED, text.clone()),
            (Compression::SNAPPY, snap::raw::Encoder::new().compress_vec(&text).unwrap()),
            (Compression::GZIP(GzipLevel::default()), gzip(&text)),
            (Compression::GZIP(GzipLevel::default()), [gzip(&text[..900]), gzip(&text[900..])].concat()),
            (Compression::ZSTD(ZstdLevel::default()), zstd(&text)),
            (Compression::ZSTD(ZstdLevel::default()), [zstd(&text[..900]), zstd(&text[900..])].concat()),
            (Compression::LZ4_RAW, lz4_flex::block::compress(&text)),
            (Compression::LZ4, hadoop_of(&text)),
            (Compression::LZ4, [hadoop_of(&text[..900]), hadoop_of(&text[900..])].concat()),
        ];
        for (codec, packed) in packed {
            assert_eq!(unpack(codec, &packed, text.len()).unwrap(), text, "{codec:?}");
            if codec != Compression::UNCOMPRESSED {
                let message = unpack(codec, &packed, text.len() - 1).unwrap_err();
                assert!(message.contains("more than"), "{codec:?}: {message}");
                assert!(unpack(codec, &packed[..packed.len() - 9], text.len()).is_err(), "{codec:?}");
            }
            assert!(unpack(codec, &[], 1).unwrap().is_empty());
        }
        assert!(unpack(Compression::BROTLI(BrotliLevel::default()), b"no stream at all", 99).is_err());
        assert!(unpack(Compression::LZO, b"any", 99).unwrap_err().contains("LZO"));
    }
}
