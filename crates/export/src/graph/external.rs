//! Weights outside of the graph's file.

use std::io::{self, Write};

use medclip_onnx::{DataLocation, StringStringEntryProto, TensorProto};

/// Values of fewer bytes stay in the graph: a shape is read there while the graph is prepared.
const LARGE: usize = 1024;
/// Where values may start, so that each can be mapped into memory by itself.
const ALIGNMENT: usize = 4096;

/// The values of a graph's large constants, as the file beside the graph's holds them.
///
/// Each starts at a multiple of 4096 bytes, with zeros before it, as ONNX advises.
///
/// # Source
/// `docs/ExternalData.md` of ONNX 1.15.
#[derive(Debug)]
pub struct ExternalData {
    values: Vec<Vec<u8>>,
}

impl ExternalData {
    /// Takes the values out of `constants` and leaves their places in the file called `name`.
    pub(super) fn take(constants: &mut [TensorProto], name: &str) -> Self {
        let mut values = Vec::new();
        let mut end = 0_usize;
        for constant in constants {
            let Some(taken) = constant.raw_data.take_if(|bytes| bytes.len() >= LARGE) else { continue };
            let offset = end.next_multiple_of(ALIGNMENT);
            end = offset + taken.len();
            let place = [("location", name.to_owned()), ("offset", offset.to_string())];
            let length = ("length", taken.len().to_string());
            let entry = |(key, value): (&str, String)| StringStringEntryProto {
                key: Some(key.to_owned()),
                value: Some(value),
            };
            constant.external_data = place.into_iter().chain([length]).map(entry).collect();
            constant.data_location = Some(DataLocation::External as i32);
            values.push(taken);
        }
        Self { values }
    }

    /// Writes the file; every value is freed behind it.
    ///
    /// # Errors
    /// What `out` gives.
    pub fn write_to(self, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
        let mut end = 0_usize;
        for values in self.values {
            let offset = end.next_multiple_of(ALIGNMENT);
            out.write_all(&vec![0; offset - end])?;
            out.write_all(&values)?;
            end = offset + values.len();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_where_the_graph_says() {
        let constant = |name: &str, bytes: Vec<u8>| TensorProto {
            name: Some(name.to_owned()),
            raw_data: Some(bytes),
            ..TensorProto::default()
        };
        let values = [vec![1; 5000], vec![2; LARGE - 1], vec![3; LARGE], vec![4; ALIGNMENT]];
        let mut constants: Vec<TensorProto> =
            values.iter().enumerate().map(|(k, bytes)| constant(&k.to_string(), bytes.clone())).collect();
        let mut file = Vec::new();
        ExternalData::take(&mut constants, "weights").write_to(&mut file).unwrap();

        assert_eq!(constants[1].raw_data.as_deref(), Some(&values[1][..]), "small values stay");
        for index in [0, 2, 3] {
            let constant = &constants[index];
            assert_eq!((constant.raw_data.as_ref(), constant.data_location), (None, Some(1)));
            let told = |key: &str| {
                let entry = constant.external_data.iter().find(|entry| entry.key.as_deref() == Some(key));
                entry.unwrap().value.clone().unwrap()
            };
            assert_eq!(told("location"), "weights");
            let [offset, length] = ["offset", "length"].map(|key| told(key).parse::<usize>().unwrap());
            assert_eq!(offset % ALIGNMENT, 0);
            assert_eq!(file[offset..offset + length], values[index]);
        }
    }
}
