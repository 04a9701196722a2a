//! Members of tar archives.

use std::fs;
use std::io::Write;
use std::path::Path;

use tar::EntryType;

use super::{assert_rows, rows, search};

/// Headers and contents, one after the other.
#[derive(Default)]
struct Tape(Vec<u8>);

impl Tape {
    fn header(name: &[u8], kind: u8, size: u64, link: &[u8]) -> tar::Header {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link);
        header.set_entry_type(EntryType::new(kind));
        header.set_size(size);
        header
    }

    fn push(&mut self, mut header: tar::Header, content: &[u8]) -> &mut Self {
        header.set_cksum();
        self.0.extend(header.as_bytes());
        self.content(content)
    }

    fn content(&mut self, content: &[u8]) -> &mut Self {
        self.0.extend(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(&mut self, name: &str, content: &str) -> &mut Self {
        self.kind(b'0', name, content)
    }

    fn kind(&mut self, kind: u8, name: &str, content: &str) -> &mut Self {
        let header = Self::header(name.as_bytes(), kind, content.len() as u64, b"");
        self.push(header, content.as_bytes())
    }

    fn link(&mut self, kind: u8, name: &str, target: &str) -> &mut Self {
        self.push(Self::header(name.as_bytes(), kind, 0, target.as_bytes()), b"")
    }

    /// A pax header of these records.
    fn pax(&mut self, records: &[(&str, &str)]) -> &mut Self {
        let record = |(key, value): &(&str, &str)| {
            let length = key.len() + value.len() + 3;
            let digits = if length + 2 > 99 { 3 } else { 2 };
            format!("{} {key}={value}\n", length + digits)
        };
        let text: String = records.iter().map(record).collect();
        self.kind(b'x', "pax", &text)
    }

    /// Writes the archive plain, gzipped, and under names that say the other.
    fn write(&self, root: &Path) -> Vec<std::path::PathBuf> {
        let whole = [&self.0[..], &[0; 1024]].concat();
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&whole).unwrap();
        let gz = gz.finish().unwrap();
        let named = [("x.tar", &whole), ("x.tar.gz", &gz), ("gz.tar", &gz), ("plain.tgz", &whole)];
        let write = |(name, bytes): (&str, &Vec<u8>)| {
            let path = root.join(name);
            fs::write(&path, bytes).unwrap();
            path
        };
        named.map(write).to_vec()
    }

    fn assert_rows(&self, expected: &[(&str, &str)]) {
        let root = tempfile::tempdir().unwrap();
        for path in self.write(root.path()) {
            assert_rows(&path, expected);
        }
    }

    fn skipped(&self) -> String {
        let root = tempfile::tempdir().unwrap();
        search(&self.write(root.path())[0]).1.to_string()
    }
}

#[test]
fn tar_links_have_the_content_of_their_files() {
    let mut tape = Tape::default();
    tape.link(b'1', "early.png", "d/a.png").file("d/a.png", "film 1").file("d/blob", "film 2");
    tape.link(b'2', "d/near.png", "a.png").link(b'1', "far.png", "./d/blob").link(
        b'2',
        "d/up.png",
        "../far.png",
    );
    tape.link(b'2', "d/IM7", "a.png").link(b'2', "notes", "readme").file("readme", "text");
    tape.link(b'2', "lost.png", "gone.png")
        .link(b'2', "out.png", "/etc/hostname")
        .link(b'1', "up.png", "../a.png");
    tape.link(b'2', "x.png", "y.png").link(b'2', "y.png", "x.png");
    tape.assert_rows(&[
        ("early.png", "film 1"),
        ("d/a.png", "film 1"),
        ("d/blob", "film 2"),
        ("d/near.png", "film 1"),
        ("far.png", "film 2"),
        ("d/up.png", "film 2"),
        ("d/IM7", "film 1"),
        ("lost.png", "?archive"),
        ("out.png", "?archive"),
        ("up.png", "?archive"),
        ("x.png", "?archive"),
        ("y.png", "?archive"),
    ]);
    assert_eq!(tape.skipped(), "2 files not looked at (2 no suffix)");
}

#[test]
fn tar_members_of_one_name_all_have_rows_and_links_take_the_last_before_them() {
    let mut tape = Tape::default();
    tape.file("a.png", "film 1")
        .link(b'1', "b.png", "a.png")
        .file("a.png", "film 2")
        .link(b'1', "c.png", "a.png");
    tape.link(b'1', "b.png", "a.png");
    tape.assert_rows(&[
        ("a.png", "film 1"),
        ("b.png", "film 1"),
        ("a.png#2", "film 2"),
        ("c.png", "film 2"),
        ("b.png#2", "film 2"),
    ]);
}

#[test]
fn every_kind_of_tar_member_is_told_from_the_others() {
    let mut tape = Tape::default();
    // Contiguous, of the first form of tar, of a type nobody knows, and a directory of that first form.
    tape.kind(b'7', "7.png", "film 7").kind(0, "0.png", "film 0").kind(b'A', "A.png", "film A");
    tape.kind(0, "d.png/", "").kind(b'5', "e.png", "").kind(b'V', "volume.png", "").kind(b'g', "g", "");
    tape.kind(b'3', "device.png", "").kind(b'6', "pipe.png", "").kind(b'M', "rest.png", "film M");
    tape.file("report.png", "report of a film").file("inner.zip", "PK").file("__MACOSX/._a.png", "junk");
    tape.assert_rows(&[
        ("7.png", "film 7"),
        ("0.png", "film 0"),
        ("A.png", "film A"),
        ("rest.png", "?archive"),
    ]);
    assert_eq!(
        tape.skipped(),
        "1 file not looked at (1 archive within an archive), \
         4 files that are no films (2 device, socket or pipe, 1 report, 1 system file)"
    );
}

#[test]
fn long_names_and_names_of_any_bytes_are_kept() {
    let long = format!("{}.png", "long/".repeat(40));
    let mut tape = Tape::default();
    tape.kind(b'L', "././@LongLink", &format!("{long}\0")).file("long", "film 1");
    tape.pax(&[("path", &long)]).file("short", "film 2");
    tape.pax(&[("path", "two\nlines=1.png"), ("mtime", "1.5")]).file("short", "film 3");
    tape.push(Tape::header(b"\x84M.png", b'0', 4, b""), b"film")
        .push(Tape::header(b"\x94M.png", b'0', 4, b""), b"film");
    tape.file("\\x84M.png", "film 4");
    tape.kind(b'K', "././@LongLink", &format!("{long}\0")).link(b'1', "h.png", "long");
    tape.pax(&[("linkpath", &long)]).link(b'2', "s.png", "long");
    let again = format!("{long}#2");
    tape.assert_rows(&[
        (&long, "film 1"),
        (&again, "film 2"),
        ("two\\x0alines=1.png", "film 3"),
        ("\\x84M.png", "film"),
        ("\\x94M.png", "film"),
        ("\\x5cx84M.png", "film 4"),
        ("h.png", "film 2"),
        ("s.png", "film 2"),
    ]);
}

#[test]
fn sizes_are_believed_where_they_count() {
    let mut tape = Tape::default();
    // In pax; of a hard link whose content is not there, and of one whose content is; of a directory.
    let mut large = Tape::header(b"pax.png", b'0', 0, b"");
    large.set_size(0);
    tape.pax(&[("size", "6")]).push(large, b"film 1");
    tape.push(Tape::header(b"h.png", b'1', 6, b"pax.png"), b"").file("a.png", "film 2");
    tape.push(Tape::header(b"i.png", b'1', 6, b"pax.png"), b"film 1").file("b.png", "film 3");
    tape.push(Tape::header(b"dir", b'5', 4096, b""), b"").file("c.png", "film 4");
    // One archive behind the other.
    tape.content(&[0; 1024]).file("d.png", "film 5");
    tape.assert_rows(&[
        ("pax.png", "film 1"),
        ("h.png", "film 1"),
        ("a.png", "film 2"),
        ("i.png", "film 1"),
        ("b.png", "film 3"),
        ("c.png", "film 4"),
        ("d.png", "film 5"),
    ]);
    // Whatever lies behind the end is no member.
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.tar");
    fs::write(&path, [Tape::default().file("a.png", "film").0.as_slice(), &[0; 1024], &[7; 700]].concat())
        .unwrap();
    assert_rows(&path, &[("a.png", "film")]);
}

/// `film` in front, a hole up to 1024, then `end`.
fn sparse_content() -> String {
    format!("film{}end", "\0".repeat(1020))
}

#[test]
fn sparse_files_are_put_together() {
    let content = sparse_content();
    let pieces = [&b"film"[..], &[0; 508], b"end"].concat();
    let mut tape = Tape::default();
    // Of old GNU form, with a block of pieces behind the header.
    let mut header = Tape::header(b"old.png", b'S', 515, b"");
    let gnu = header.as_gnu_mut().unwrap();
    gnu.set_real_size(1027);
    gnu.sparse[0].set_offset(0);
    gnu.sparse[0].set_length(512);
    gnu.set_is_extended(true);
    header.set_cksum();
    tape.0.extend(header.as_bytes());
    let mut more = tar::GnuExtSparseHeader::new();
    more.sparse_mut()[0].set_offset(1024);
    more.sparse_mut()[0].set_length(3);
    more.sparse_mut()[1].set_offset(1027);
    more.sparse_mut()[1].set_length(0);
    tape.content(more.as_bytes()).content(&pieces);
    // Of the three pax forms.
    tape.pax(&[
        ("GNU.sparse.size", "1027"),
        ("GNU.sparse.numblocks", "2"),
        ("GNU.sparse.offset", "0"),
        ("GNU.sparse.numbytes", "512"),
        ("GNU.sparse.offset", "1024"),
        ("GNU.sparse.numbytes", "3"),
    ]);
    tape.push(Tape::header(b"0.png", b'0', 515, b""), &pieces);
    tape.pax(&[
        ("GNU.sparse.size", "1027"),
        ("GNU.sparse.map", "0,512,1024,3"),
        ("GNU.sparse.name", "1.png"),
    ]);
    tape.push(Tape::header(b"GNUSparseFile.1/1.png", b'0', 515, b""), &pieces);
    tape.pax(&[
        ("GNU.sparse.major", "1"),
        ("GNU.sparse.minor", "0"),
        ("GNU.sparse.name", "2.png"),
        ("GNU.sparse.realsize", "1027"),
    ]);
    let mut map = b"2\n0\n512\n1024\n3\n".to_vec();
    map.resize(512, 0);
    tape.push(Tape::header(b"GNUSparseFile.1/2.png", b'0', 1027, b""), &[map, pieces.clone()].concat());
    // A film by its content alone, a link to one, and maps that make no sense.
    tape.pax(&[("GNU.sparse.size", "1027"), ("GNU.sparse.map", "0,512,1024,3")]);
    tape.push(Tape::header(b"IM5", b'0', 515, b""), &pieces).link(b'1', "link.png", "old.png");
    for map in ["0,512,100,3", "0,512", "0,512,2000,3", "0,512,x,3", "18446744073709551615,512,1024,3"] {
        tape.pax(&[("GNU.sparse.size", "1027"), ("GNU.sparse.map", map)]);
        tape.push(Tape::header(b"bad.png", b'0', 515, b""), &pieces);
    }
    tape.file("last.png", "film");
    tape.assert_rows(&[
        ("old.png", &content),
        ("0.png", &content),
        ("1.png", &content),
        ("2.png", &content),
        ("IM5", &content),
        ("link.png", &content),
        ("bad.png", "?archive"),
        ("bad.png#2", "?archive"),
        ("bad.png#3", "?archive"),
        ("bad.png#4", "?archive"),
        ("bad.png#5", "?archive"),
        ("last.png", "film"),
    ]);
}

#[test]
fn a_sparse_file_that_claims_too_much_takes_no_memory() {
    let mut tape = Tape::default();
    tape.pax(&[("GNU.sparse.size", "600000000000"), ("GNU.sparse.map", "0,4")]);
    tape.push(Tape::header(b"a.png", b'0', 4, b""), b"film").file("b.png", "film 2");
    tape.assert_rows(&[("a.png", "?too_large"), ("b.png", "film 2")]);
}

#[test]
fn a_tar_that_breaks_off_keeps_the_rows_before() {
    let root = tempfile::tempdir().unwrap();
    let whole = Tape::default().file("a.png", "film 1").file("b.png", "film 2").0.clone();
    let path = root.path().join("x.tar");
    for (length, expected) in [(1030, 2), (1536 + 3, 3), (700, 2)] {
        fs::write(&path, &whole[..length]).unwrap();
        let rows = rows(&path);
        assert_eq!(rows.len(), expected, "{length}: {rows:?}");
        assert_eq!(rows.last().unwrap().1, "?archive", "{length}");
    }
    let mut damaged = whole.clone();
    damaged[1024 + 20] ^= 1;
    fs::write(&path, damaged).unwrap();
    assert_rows(&path, &[("a.png", "film 1"), ("", "?archive")]);
}
