//! What decides a report beside the film, as texts: to keep with results, and to score in the same way later.

use std::collections::BTreeMap;

use medclip_decode::DecodeOptions;
use medclip_qc::Policy;
use thiserror::Error;

use crate::scorer::Scorer;

const QC: &str = "qc";
const PRECISION: &str = "precision";
/// Value of a frame that was not chosen.
#[cfg(feature = "dicom")]
const FIRST: &str = "first";

/// A recorded option that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("option {name} is `{value}`: {reason}")]
pub struct RecordError {
    name: &'static str,
    value: String,
    reason: String,
}

impl Scorer {
    /// Everything that moves a score or withholds one and is not in the [`Schema`](crate::Schema): policy, precision, how files are
    /// decoded, and the SHA-256 of those files of the bundle that decide a report and are no part of the model's id.
    pub fn record(&self) -> BTreeMap<String, String> {
        let model = self.model();
        let sums = model.bundle().deciding_sums(model.precision());
        let mut record: BTreeMap<String, String> =
            sums.into_iter().map(|(name, sum)| (name.to_owned(), sum.unwrap_or("none").to_owned())).collect();
        record.insert(QC.to_owned(), self.checks().policy().to_string());
        record.insert(PRECISION.to_owned(), model.precision().to_string());
        record.extend(of_decoding(self.decoding()));
        record
    }
}

/// How a record says that files were decoded.
pub fn of_decoding(options: &DecodeOptions) -> BTreeMap<String, String> {
    #[cfg(feature = "dicom")]
    {
        let frame = options.raster.page.map_or_else(|| FIRST.to_owned(), |frame| (frame + 1).to_string());
        let recorded = [
            ("frame", frame),
            ("window", options.dicom.voi.to_string()),
            ("lut-bits", options.dicom.lut_bits.to_string()),
        ];
        recorded.map(|(name, value)| (name.to_owned(), value)).into()
    }
    #[cfg(not(feature = "dicom"))]
    {
        let _ = options;
        BTreeMap::new()
    }
}

/// The options that [`Scorer::record`] tells, the default where one is not recorded.
///
/// # Errors
/// [`RecordError`] when a value is none that this program knows.
#[cfg(feature = "dicom")]
pub fn decoding_of(record: &BTreeMap<String, String>) -> Result<DecodeOptions, RecordError> {
    let frame = match record.get("frame").map(String::as_str) {
        None | Some(FIRST) => None,
        Some(_) => parsed(record, "frame")?,
    };
    let voi = parsed(record, "window")?.unwrap_or_default();
    let lut_bits = parsed(record, "lut-bits")?.unwrap_or_default();
    Ok(DecodeOptions::shown(frame, voi, lut_bits))
}

/// The default: in this build there is nothing to choose.
///
/// # Errors
/// None.
#[cfg(not(feature = "dicom"))]
pub fn decoding_of(_record: &BTreeMap<String, String>) -> Result<DecodeOptions, RecordError> {
    Ok(DecodeOptions::default())
}

/// The policy that [`Scorer::record`] tells.
///
/// # Errors
/// As of [`decoding_of`].
pub fn policy_of(record: &BTreeMap<String, String>) -> Result<Policy, RecordError> {
    Ok(parsed(record, QC)?.unwrap_or_default())
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    record: &BTreeMap<String, String>,
    name: &'static str,
) -> Result<Option<T>, RecordError> {
    let parse = |value: &String| {
        value.parse().map_err(|error: T::Err| RecordError {
            name,
            value: value.clone(),
            reason: error.to_string(),
        })
    };
    record.get(name).map(parse).transpose()
}

#[cfg(all(test, feature = "dicom"))]
mod tests {
    use super::*;

    #[test]
    fn recorded_options_come_back() {
        for (frame, window) in
            [("first", "file"), ("1", "file"), ("3", "min-max"), ("2", "-600,1500,linear"), ("1", "lut=2")]
        {
            let recorded = [("frame", frame), ("window", window), ("lut-bits", "declared")];
            let recorded: BTreeMap<String, String> =
                recorded.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            assert_eq!(of_decoding(&decoding_of(&recorded).unwrap()), recorded);
        }
        assert_eq!(decoding_of(&BTreeMap::new()).unwrap(), DecodeOptions::default());
        let unknown = [("window".to_owned(), "bright".to_owned())].into();
        let error = decoding_of(&unknown).unwrap_err().to_string();
        assert!(error.starts_with("option window is `bright`: neither file"), "{error}");
    }

    #[test]
    fn a_policy_comes_back() {
        let mut policy = Policy::default();
        policy.set("lateral=abstain").unwrap();
        policy.set("blank=pass").unwrap();
        let record = [("qc".to_owned(), policy.to_string())].into();
        assert_eq!(policy_of(&record), Ok(policy));
        assert_eq!(policy_of(&BTreeMap::new()), Ok(Policy::default()));
    }
}
