//! Lists of texts as Python prints them: PadChest's `['pneumonia', "a 'quoted' word"]`.

/// The texts of a list, without spaces around them and without blank ones; `None` where it is no such list.
pub(super) fn list(text: &str) -> Option<Vec<String>> {
    let mut rest = text.trim().strip_prefix('[')?.strip_suffix(']')?.trim();
    let mut items = Vec::new();
    while !rest.is_empty() {
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let (item, after) = rest[1..].split_once(quote)?;
        items.push(item.trim().to_owned());
        rest = after.trim_start();
        rest = match rest.strip_prefix(',') {
            Some(more) => more.trim_start(),
            None if rest.is_empty() => rest,
            None => return None,
        };
    }
    items.retain(|item| !item.is_empty());
    Some(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_python_prints() {
        let cases: [(&str, Option<&[&str]>); 10] = [
            ("[]", Some(&[])),
            ("['normal']", Some(&["normal"])),
            ("[' pneumonia', 'infiltrates ', '']", Some(&["pneumonia", "infiltrates"])),
            ("[\"it's\", 'b, c']", Some(&["it's", "b, c"])),
            ("['a',]", Some(&["a"])),
            ("", None),
            ("normal", None),
            ("['a' 'b']", None),
            ("['a", None),
            ("[a]", None),
        ];
        for (text, expected) in cases {
            let expected = expected.map(|items| items.iter().map(|&item| item.to_owned()).collect());
            assert_eq!(list(text), expected, "{text}");
        }
    }
}
