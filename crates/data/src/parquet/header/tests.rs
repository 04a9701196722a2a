use super::*;

/// A page of the first version: 5 values, plain, in 20 bytes that are 30 when unpacked.
const DATA: [u8; 17] =
    [0x15, 0x00, 0x15, 0x3c, 0x15, 0x28, 0x2c, 0x15, 0x0a, 0x15, 0x00, 0x15, 0x06, 0x15, 0x08, 0x00, 0x00];

/// A page of the second version, with `compressed` in place of the field that says whether it is compressed.
fn v2(compressed: &[u8]) -> Vec<u8> {
    let start = [0x15, 0x06, 0x15, 0x3c, 0x15, 0x28, 0x5c, 0x15, 0x0a, 0x15, 0x02, 0x15, 0x0a, 0x15, 0x10];
    [&start[..], &[0x15, 0x04, 0x15, 0x00], compressed, &[0x00, 0x00]].concat()
}

const DICTIONARY: [u8; 14] =
    [0x15, 0x04, 0x15, 0x3c, 0x15, 0x28, 0x4c, 0x15, 0x0a, 0x15, 0x04, 0x11, 0x00, 0x00];

fn header(bytes: &[u8]) -> Option<PageHeader> {
    PageHeader::read(bytes).map(|(header, _)| header)
}

#[test]
fn pages_of_every_kind_are_read() {
    let kind = PageKind::Data { values: 5, encoding: 0, definition_encoding: 3, repetition_encoding: 4 };
    let expected = PageHeader { kind, packed: 20, unpacked: 30 };
    let behind = [&DATA[..], &[7; 40]].concat();
    assert_eq!(PageHeader::read(&behind), Some((expected, DATA.len())));

    for (compressed, is_compressed) in [(&[0x11][..], true), (&[0x12], false), (&[], true)] {
        let kind = PageKind::DataV2 {
            values: 5,
            nulls: 1,
            rows: 5,
            encoding: 8,
            definition_bytes: 2,
            repetition_bytes: 0,
            is_compressed,
        };
        assert_eq!(header(&v2(compressed)), Some(PageHeader { kind, packed: 20, unpacked: 30 }));
    }

    let kind = PageKind::Dictionary { values: 5, encoding: 2, is_sorted: true };
    assert_eq!(header(&DICTIONARY), Some(PageHeader { kind, packed: 20, unpacked: 30 }));

    let index = [0x15, 0x02, 0x15, 0x3c, 0x15, 0x28, 0x3c, 0x00, 0x00];
    assert_eq!(header(&index).map(|header| header.kind), Some(PageKind::Index));
}

#[test]
fn checksums_statistics_and_unknown_fields_are_passed_over() {
    // A checksum behind the sizes; statistics with the smallest and the largest value; an unknown text and list.
    let bytes = [
        &DATA[..6],
        &[0x15, 0xaa, 0x01, 0x1c],
        &DATA[7..15],
        &[0x1c, 0x18, 0x01, b'z', 0x18, 0x01, b'a', 0x00],
        &[0x48, 0x02, b'o', b'k', 0x00],
        &[0x79, 0x25, 0x02, 0x04, 0x00],
    ];
    assert_eq!(header(&bytes.concat()), header(&DATA));
}

#[test]
fn fields_of_other_types_are_damage() {
    // The places where the types of all numbers stand, and those of the structure, of the statistics and of a truth value.
    let with_statistics = [&DATA[..15], &[0x1c], &DATA[15..], &[0x00]].concat();
    let v2_with_statistics = [&v2(&[0x11])[..20], &[0x1c, 0x00, 0x00, 0x00]].concat();
    for (bytes, numbers, truth) in [
        (with_statistics, vec![0, 2, 4, 6, 7, 9, 11, 13, 15], None),
        (v2_with_statistics, vec![0, 2, 4, 6, 7, 9, 11, 13, 15, 17, 20], Some(19)),
        (DICTIONARY.to_vec(), vec![0, 2, 4, 6, 7, 9], Some(11)),
    ] {
        assert!(header(&bytes).is_some(), "{bytes:02x?}");
        let places = numbers.into_iter().chain(truth);
        for (place, kind) in places.flat_map(|place| (1..=15).map(move |kind| (place, kind))) {
            let mut other = bytes.clone();
            other[place] = (other[place] & 0xf0) | kind;
            let is_sound = if Some(place) == truth { matches!(kind, TRUE | FALSE) } else { other == bytes };
            assert_eq!(header(&other).is_some(), is_sound, "type {kind} at {place} of {bytes:02x?}");
        }
        for length in 0..bytes.len() {
            assert!(header(&bytes[..length]).is_none(), "{bytes:02x?}, cut at {length}");
        }
    }
}

#[test]
fn missing_and_negative_numbers_are_damage() {
    // Without the number of values, without the kind of page, of a kind that has no header, and of an unknown kind.
    let without_values = [&DATA[..7], &[0x25], &DATA[10..]].concat();
    assert!(header(&without_values).is_none());
    assert!(header(&[&[0x25], &DATA[3..]].concat()).is_none());
    for kind in [0x04, 0x06, 0x08] {
        let bytes = [&[0x15, kind], &DATA[2..]].concat();
        assert!(header(&bytes).is_none(), "{kind}");
    }
    for place in [1, 3, 5, 8, 10] {
        let mut bytes = DATA.to_vec();
        bytes[place] = 0x01;
        assert!(header(&bytes).is_none(), "-1 at {place}");
    }
}

#[test]
fn lists_of_truth_values_are_damage() {
    let many = [0xff, 0xff, 0xff, 0xff, 0x07];
    for kind in [TRUE, FALSE] {
        let list = [&[0xf0 | kind], &many[..]].concat();
        // As an unknown field of the header, as one of the page, and in the statistics.
        let outer = [&DATA[..16], &[0x79], &list, &[0x00]].concat();
        let inner = [&DATA[..15], &[0x79], &list, &[0x00, 0x00]].concat();
        let statistics = [&DATA[..15], &[0x1c, 0xf9], &list, &[0x00, 0x00, 0x00]].concat();
        for bytes in [outer, inner, statistics] {
            assert!(header(&bytes).is_none(), "{bytes:02x?}");
        }
    }
}
