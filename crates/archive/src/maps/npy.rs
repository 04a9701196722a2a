//! Arrays as NumPy stores them.

use medclip_core::map::ClassMap;

/// Maps of one grid as an array of 32-bit floats, `[classes, rows, columns]`.
///
/// # Source
/// NumPy, "NPY format", version 1.0: a header of a multiple of 64 bytes, then the values.
pub(super) fn stacked(maps: &[ClassMap]) -> Vec<u8> {
    let [rows, columns] = maps.first().map_or([0, 0], |map| [map.rows, map.columns]);
    let shape = format!("({}, {rows}, {columns})", maps.len());
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    // Magic number, version and length take 10 bytes, the line end one.
    let padding = (10 + header.len() + 1).next_multiple_of(64) - (10 + header.len() + 1);
    header.extend(std::iter::repeat_n(' ', padding));
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(maps.iter().flat_map(|map| &map.values).flat_map(|value| value.to_le_bytes()));
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_as_numpy_writes_it() {
        let map =
            |values: [f32; 6]| ClassMap { name: String::new(), rows: 2, columns: 3, values: values.to_vec() };
        let file = stacked(&[map([0.0, 1.0, 2.0, 3.0, 4.0, 5.0]), map([6.0, 7.0, 8.0, 9.0, 10.0, -0.5])]);
        // numpy.save of the same array: 128 bytes of header, 48 of values.
        assert_eq!(file.len(), 128 + 48);
        assert_eq!(&file[..10], b"\x93NUMPY\x01\x00\x76\x00");
        let text = std::str::from_utf8(&file[10..128]).unwrap();
        assert!(
            text.starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2, 3), }  "),
            "{text}"
        );
        assert!(text.ends_with(" \n"));
        assert_eq!(&file[128 + 44..], (-0.5_f32).to_le_bytes());
    }
}
