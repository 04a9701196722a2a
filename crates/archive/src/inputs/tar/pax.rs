//! What a pax header says of the next entry (POSIX.1-2017, pax, "pax Extended Header").

use std::io;

use super::map::Map;

/// What is of use here. The last of several values of a key counts.
#[derive(Debug, Default)]
pub(super) struct Pax {
    path: Option<Vec<u8>>,
    pub(super) linkpath: Option<Vec<u8>>,
    /// Length of the stored content.
    pub(super) size: Option<u64>,
    /// The entry is a sparse file.
    pub(super) sparse: Option<Sparse>,
}

/// GNU's keys of sparse files.
#[derive(Debug, Default)]
pub(super) struct Sparse {
    name: Option<Vec<u8>>,
    major: u64,
    bytes: u64,
    numbers: Vec<u64>,
    is_broken: bool,
}

impl Sparse {
    /// Whether the map is in the content, as of form 1.0.
    pub(super) const fn is_in_content(&self) -> bool {
        self.major >= 1
    }

    /// What the header itself says of the map.
    pub(super) fn map(&self) -> Map {
        let mut map = Map::of_size(self.bytes);
        let (pairs, rest) = self.numbers.as_chunks::<2>();
        for &[offset, length] in pairs {
            map.push(offset, length);
        }
        if self.is_broken || !rest.is_empty() || self.major > 1 {
            map.break_it();
        }
        map
    }
}

impl Pax {
    /// Reads records of the form `LENGTH KEY=VALUE\n`; a value may hold anything.
    pub(super) fn parse(mut text: &[u8]) -> io::Result<Self> {
        let mut pax = Self::default();
        while !text.is_empty() && text[0] != 0 {
            let (key, value, rest) =
                record(text).ok_or_else(|| io::Error::other("is damaged: a pax header makes no sense"))?;
            pax.set(key, value)?;
            text = rest;
        }
        Ok(pax)
    }

    /// The name, of a sparse file the one it has unpacked.
    pub(super) fn name(&self) -> Option<Vec<u8>> {
        let sparse = self.sparse.as_ref().and_then(|sparse| sparse.name.clone());
        sparse.or_else(|| self.path.clone())
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        match key {
            // An empty value takes back what a global header said.
            b"path" => self.path = Some(value.to_vec()).filter(|path| !path.is_empty()),
            b"linkpath" => self.linkpath = Some(value.to_vec()).filter(|path| !path.is_empty()),
            b"size" => {
                let size = number(value);
                self.size =
                    Some(size.ok_or_else(|| io::Error::other("is damaged: a pax size is no number"))?);
            }
            _ => {
                if let Some(key) = key.strip_prefix(b"GNU.sparse.") {
                    self.sparse.get_or_insert_default().set(key, value);
                }
            }
        }
        Ok(())
    }
}

impl Sparse {
    fn set(&mut self, key: &[u8], value: &[u8]) {
        if key == b"name" {
            self.name = Some(value.to_vec());
            return;
        }
        if key == b"map" {
            let numbers = value.split(|byte| *byte == b',').map(number);
            match numbers.collect::<Option<Vec<u64>>>() {
                Some(numbers) => self.numbers = numbers,
                None => self.is_broken = !value.is_empty(),
            }
            return;
        }
        let Some(value) = number(value) else {
            self.is_broken = true;
            return;
        };
        match key {
            b"major" => self.major = value,
            b"size" | b"realsize" => self.bytes = value,
            b"offset" | b"numbytes" => self.numbers.push(value),
            _ => {}
        }
    }
}

/// Key and value of the first record, and what is behind it.
fn record(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let blank = text.iter().take(20).position(|byte| *byte == b' ')?;
    let length = usize::try_from(number(&text[..blank])?).ok()?;
    let (record, rest) = text.split_at_checked(length)?;
    let record = record.strip_suffix(b"\n")?.get(blank + 1..)?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    Some((&record[..equals], &record[equals + 1..], rest))
}

fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_hold_anything() {
        let pax = Pax::parse(b"20 path=a\nb=c/d.png\n12 size=300\n23 SCHILY.xattr.x=\xff\n=\n\n").unwrap();
        assert_eq!((pax.name().as_deref(), pax.size), (Some(&b"a\nb=c/d.png"[..]), Some(300)));
        assert!(pax.sparse.is_none() && pax.linkpath.is_none());
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for text in [&b"9 path=a"[..], b"99 path=a\n", b"path=a\n", b"8 path a\n", b"0 \n", b"11 size=-1\n\n"]
        {
            assert!(Pax::parse(text).is_err(), "{}", text.escape_ascii());
        }
        assert!(Pax::parse(b"\0\0\0").unwrap().name().is_none());
    }
}
