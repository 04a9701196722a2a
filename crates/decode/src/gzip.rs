//! DICOM files in gzip streams (`.dcm.gz`), as archives keep them.

use std::io;

use flate2::bufread::GzDecoder;

use crate::error::Reason;
use crate::is_dicom;
use crate::limits::{Limits, inflated, read_up_to};

/// What the stream holds, if that is a DICOM file within the limits.
pub(crate) fn dicom_file(bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, Reason> {
    let limit = inflated(bytes.len(), limits.max_file_bytes);
    let mut file = Vec::new();
    let mut rest = bytes;
    // A file may be several streams, one behind the other. What follows them and is none is padding.
    while file.is_empty() || rest.starts_with(&[0x1f, 0x8b]) {
        let room = (limit + 1).saturating_sub(file.len() as u64);
        let before = rest.len();
        let mut stream = GzDecoder::new(rest);
        read_up_to(&mut stream, room, &mut file).map_err(reason)?;
        if file.len() as u64 > limit {
            return Err(Reason::FileTooLarge { bytes: file.len() as u64, limit });
        }
        rest = stream.into_inner();
        if rest.len() == before || rest.is_empty() {
            break;
        }
    }
    if is_dicom(&file) {
        return Ok(file);
    }
    file.truncate(8);
    Err(Reason::GzipContent { start: file })
}

fn reason(error: io::Error) -> Reason {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return Reason::Truncated { what: "the gzip stream ends early".to_owned() };
    }
    Reason::Damaged(Box::new(error))
}
