//! The types of the fields in a file's description.
//!
//! The library reads a field that it knows by the type that the format gives it, and ignores the type that the file states.
//! If the two differ, it continues at another byte than a walk by the stated types, and what that walk has checked says nothing
//! about what the library reads. So a file whose types differ from those of the format is refused.

mod fields;

use super::thrift::{self, Thrift};

/// What a field holds.
enum Shape {
    Truth,
    Byte,
    I16,
    /// A number, or one of a list of names.
    I32,
    I64,
    Double,
    /// Bytes or text.
    Binary,
    /// Elements of one shape, never truth values.
    List(&'static Shape),
    /// A union is a structure with all of its variants as fields.
    Struct(Fields),
}

/// Fields by their numbers.
type Fields = &'static [(i64, Shape)];

/// Whether `bytes` begin with a description in which every field of the format has the type that the format gives it.
/// Other fields are passed over by the types that they state.
pub(super) fn has_types(bytes: &[u8]) -> bool {
    structure(&mut Thrift::new(bytes), fields::FILE).is_some()
}

fn structure(thrift: &mut Thrift<'_>, known: Fields) -> Option<()> {
    let mut field = 0;
    while let Some(kind) = thrift.field(&mut field)? {
        match known.iter().find(|(number, _)| *number == field) {
            Some((_, shape)) if shape.is(kind) => value(thrift, shape)?,
            Some(_) => return None,
            None => thrift.skip(kind)?,
        }
    }
    Some(())
}

fn value(thrift: &mut Thrift<'_>, shape: &Shape) -> Option<()> {
    match shape {
        Shape::Struct(known) => structure(thrift, known),
        Shape::List(element) => {
            let (count, kind) = thrift.list()?;
            // Some writers give an empty list no type.
            if count > 0 && !element.is(kind) {
                return None;
            }
            (0..count).try_for_each(|_| value(thrift, element))
        }
        plain => thrift.skip(plain.kind()),
    }
}

impl Shape {
    /// Whether a field of this type of the compact protocol may hold it.
    const fn is(&self, kind: u8) -> bool {
        kind == self.kind() || (matches!(self, Self::Truth) && kind == thrift::FALSE)
    }

    const fn kind(&self) -> u8 {
        match self {
            Self::Truth => thrift::TRUE,
            Self::Byte => thrift::BYTE,
            Self::I16 => thrift::I16,
            Self::I32 => thrift::I32,
            Self::I64 => thrift::I64,
            Self::Double => thrift::DOUBLE,
            Self::Binary => thrift::BINARY,
            Self::List(_) => thrift::LIST,
            Self::Struct(_) => thrift::STRUCT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A structure with all of its fields. `types` are the places where types stand, with the shapes that they are of.
    fn write(known: Fields, bytes: &mut Vec<u8>, types: &mut Vec<(usize, &'static Shape)>) {
        for (number, shape) in known {
            types.push((bytes.len(), shape));
            bytes.extend_from_slice(&[shape.kind(), (*number as u8) << 1]);
            write_value(shape, bytes, types);
        }
        bytes.push(0);
    }

    fn write_value(shape: &'static Shape, bytes: &mut Vec<u8>, types: &mut Vec<(usize, &'static Shape)>) {
        match shape {
            Shape::Struct(known) => write(known, bytes, types),
            Shape::List(element) => {
                types.push((bytes.len(), element));
                bytes.push(0x10 | element.kind());
                write_value(element, bytes, types);
            }
            Shape::Truth => {}
            Shape::Double => bytes.extend_from_slice(&[0; 8]),
            Shape::Byte | Shape::I16 | Shape::I32 | Shape::I64 | Shape::Binary => bytes.push(0),
        }
    }

    #[test]
    fn every_field_has_the_type_of_the_format() {
        let (mut bytes, mut types) = (Vec::new(), Vec::new());
        write(fields::FILE, &mut bytes, &mut types);
        assert!(has_types(&bytes));
        assert!(types.len() > 100);
        for (place, shape) in types {
            for kind in 1..=15 {
                let mut other = bytes.clone();
                other[place] = (other[place] & 0xf0) | kind;
                assert_eq!(has_types(&other), shape.is(kind), "type {kind} at {place}");
            }
        }
        for length in 0..bytes.len() {
            assert!(!has_types(&bytes[..length]), "cut at {length}");
        }
    }

    #[test]
    fn fields_of_no_number_are_passed_over_without_lists_of_truth_values() {
        // A number, a text and a list of two numbers in fields 20 to 22.
        assert!(has_types(&[0x05, 0x28, 0x02, 0x18, 0x01, b'a', 0x19, 0x25, 0x02, 0x04, 0x00]));
        // The rows, with an empty list without a type; the columns of a group, of which there is one more than bytes.
        assert!(has_types(&[0x49, 0x00, 0x00]));
        assert!(!has_types(&[0x49, 0x1c, 0x19, 0x4c, 0x00, 0x00, 0x00]));
        let many = [0xff, 0xff, 0xff, 0xff, 0x07];
        for kind in [thrift::TRUE, thrift::FALSE] {
            let list = [&[0xf0 | kind], &many[..]].concat();
            // In a field that nobody knows, and in place of the file's schema.
            for start in [&[0x09, 0x28][..], &[0x29]] {
                assert!(!has_types(&[start, &list, &[0x00]].concat()), "{kind}");
            }
        }
    }
}
