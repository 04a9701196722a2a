//! What the modules of a crate import from each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::tokens::{Token, without_tests};

/// Names from the root of a crate to a module; none of the root itself.
pub(crate) type Name = Vec<String>;

/// Who imports from whom.
pub(crate) type Imports = BTreeMap<Name, BTreeSet<Name>>;

/// One file of a crate.
#[derive(Debug, Default)]
struct Module {
    /// Paths by the names under which `use` brings them in.
    uses: BTreeMap<String, Name>,
    /// Those of them that are only shown to others.
    shown: BTreeSet<String>,
    /// Paths of which `use` brings everything in.
    globs: Vec<Name>,
    /// Paths that stand in code.
    paths: BTreeSet<Name>,
    /// Names of what stands in it.
    defined: BTreeSet<String>,
}

/// The imports of a crate whose sources lie in `directory`, tests aside.
///
/// A file imports from the file in which what it names stands, whatever files re-export it on the way. What is only re-exported
/// is no import.
pub(crate) fn of_crate(directory: &Path) -> Imports {
    let mut sources = BTreeMap::new();
    read(directory, &[], &mut sources);
    let mut of_tests = BTreeSet::new();
    let mut modules = BTreeMap::new();
    for (name, source) in &sources {
        let (tokens, declared) = without_tests(source);
        of_tests.extend(declared.into_iter().map(|module| [name.clone(), vec![module]].concat()));
        modules.insert(name.clone(), Module::of(&tokens));
    }
    modules.retain(|name, _| !(1..=name.len()).any(|length| of_tests.contains(&name[..length])));
    let from = |(name, module): (&Name, &Module)| {
        let used = module.uses.iter().filter(|(name, _)| !module.shown.contains(*name)).map(|(_, path)| path);
        let files = used.chain(&module.paths).filter_map(|path| resolve(&modules, name, path, 0));
        (name.clone(), files.filter(|file| file != name).collect())
    };
    modules.iter().map(from).collect()
}

/// Sets of nodes, each of which can be reached from every other of its set.
pub(crate) fn circles<N: Ord + Clone>(arrows: &BTreeMap<N, BTreeSet<N>>) -> BTreeSet<BTreeSet<N>> {
    let reached: BTreeMap<&N, BTreeSet<&N>> = arrows.keys().map(|node| (node, reach(arrows, node))).collect();
    let circle = |node: &N| {
        let back =
            reached[node].iter().filter(|other| reached.get(*other).is_some_and(|back| back.contains(node)));
        back.map(|other| (*other).clone()).collect::<BTreeSet<N>>()
    };
    arrows.keys().map(circle).filter(|circle| circle.len() > 1).collect()
}

fn reach<'a, N: Ord>(arrows: &'a BTreeMap<N, BTreeSet<N>>, from: &N) -> BTreeSet<&'a N> {
    let mut found = BTreeSet::new();
    let mut left: Vec<&N> = arrows[from].iter().collect();
    while let Some(node) = left.pop() {
        if found.insert(node) {
            left.extend(arrows.get(node).into_iter().flatten());
        }
    }
    found
}

fn read(directory: &Path, name: &[String], sources: &mut BTreeMap<Name, String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let is_root = name.is_empty() && (stem == "lib" || stem == "main");
        let module = if is_root { Vec::new() } else { [name, &[stem]].concat() };
        if path.is_dir() {
            read(&path, &module, sources);
        } else if path.extension().is_some_and(|end| end == "rs") {
            sources.insert(module, fs::read_to_string(&path).unwrap());
        }
    }
}

impl Module {
    fn of(tokens: &[Token]) -> Self {
        let mut module = Self::default();
        let mut shown = BTreeSet::new();
        let mut words = BTreeSet::new();
        let mut at = 0;
        while at < tokens.len() {
            if tokens[at].word() == Some("use") {
                let is_public = at
                    .checked_sub(1)
                    .is_some_and(|before| tokens[before].word() == Some("pub") || tokens[before].is(')'));
                let before: BTreeSet<String> = module.uses.keys().cloned().collect();
                at = module.tree(tokens, at + 1, &[]);
                if is_public {
                    shown.extend(module.uses.keys().filter(|name| !before.contains(*name)).cloned());
                }
                continue;
            }
            let Some(word) = tokens[at].word() else {
                at += 1;
                continue;
            };
            let follows = at.checked_sub(1).and_then(|before| tokens.get(before));
            let kinds = ["struct", "enum", "fn", "trait", "const", "type", "static", "macro_rules"];
            if follows.and_then(Token::word).is_some_and(|before| kinds.contains(&before)) {
                module.defined.insert(word.to_owned());
            }
            words.insert(word.to_owned());
            let mut path = vec![word.to_owned()];
            at += 1;
            while let (Some(Token::Of), Some(Token::Word(next))) = (tokens.get(at), tokens.get(at + 1)) {
                path.push(next.clone());
                at += 2;
            }
            if path.len() > 1 && follows != Some(&Token::Of) {
                module.paths.insert(path);
            }
        }
        shown.retain(|name| !words.contains(name));
        Self { shown, ..module }
    }

    /// Reads the tree of a `use` from `at` on; gives where it ends.
    fn tree(&mut self, tokens: &[Token], mut at: usize, before: &[String]) -> usize {
        let mut path = before.to_vec();
        loop {
            match tokens.get(at) {
                Some(Token::Word(word)) if word == "as" => {
                    let name = tokens[at + 1].word().unwrap();
                    let name = if name == "_" { path.last().unwrap().as_str() } else { name };
                    self.uses.insert(name.to_owned(), path);
                    return at + 2;
                }
                Some(Token::Word(word)) => {
                    path.push(word.clone());
                    at += 1;
                }
                Some(Token::Of) => at += 1,
                Some(Token::Sign('*')) => {
                    self.globs.push(path);
                    return at + 1;
                }
                Some(Token::Sign('{')) => {
                    at += 1;
                    while !tokens[at].is('}') {
                        at = if tokens[at].is(',') { at + 1 } else { self.tree(tokens, at, &path) };
                    }
                    return at + 1;
                }
                _ => {
                    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
                        path.pop();
                    }
                    self.uses.insert(path.last().cloned().unwrap_or_default(), path);
                    return at;
                }
            }
        }
    }
}

/// The file in which what `path` names stands, as seen from `from`; none of a module, and of another crate.
fn resolve(modules: &BTreeMap<Name, Module>, from: &Name, path: &[String], depth: usize) -> Option<Name> {
    // A name may lead to itself through what two modules show.
    if depth > 20 {
        return None;
    }
    // The module of this name below another.
    let child = |parent: &Name, name: &String| {
        let below = [parent.as_slice(), std::slice::from_ref(name)].concat();
        modules.contains_key(&below).then_some(below)
    };
    let mut file = from.clone();
    let mut rest = path;
    match rest.first()?.as_str() {
        "crate" => {
            file.clear();
            rest = &rest[1..];
        }
        "self" | "super" => {
            while let Some(up) = rest.first().filter(|up| *up == "super" || *up == "self") {
                if up == "super" {
                    file.pop();
                }
                rest = &rest[1..];
            }
        }
        first => {
            let module = modules.get(from)?;
            let used = module.uses.get(first).filter(|used| used[0] != *first);
            if child(from, &rest[0]).is_none() {
                return resolve(modules, from, &[used?.as_slice(), &rest[1..]].concat(), depth + 1);
            }
        }
    }
    while let Some((name, after)) = rest.split_first() {
        let module = modules.get(&file)?;
        if let Some(below) = child(&file, name) {
            (file, rest) = (below, after);
            continue;
        }
        if let Some(used) = module.uses.get(name).filter(|used| used[0] != *name) {
            return resolve(modules, &file, &[used.as_slice(), after].concat(), depth + 1);
        }
        if module.defined.contains(name) {
            return Some(file);
        }
        let through = module.globs.iter().find_map(|glob| {
            let found = resolve(modules, &file, &[glob.as_slice(), rest].concat(), depth + 1)?;
            modules[&found].defined.contains(name).then_some(found)
        });
        return Some(through.unwrap_or(file));
    }
    None
}

#[test]
fn names_lead_to_where_they_stand() {
    let directory = tempfile::tempdir().unwrap();
    for (name, source) in [
        ("lib.rs", "mod a; mod b; mod c; pub use a::A; pub use b::B;"),
        ("a.rs", "pub struct A; use crate::b; fn f() -> b::inner::Inner { b::g() }"),
        (
            "b.rs",
            "pub mod inner; pub use inner::*; use crate::{A as Other, c::{self, C}}; pub fn g() { c::h() } pub struct B;",
        ),
        ("b/inner.rs", "pub struct Inner; use super::super::B; #[cfg(test)] mod tests { use crate::c::C; }"),
        ("c.rs", "pub use crate::b::Inner; pub struct C; pub fn h() {}"),
    ] {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, source).unwrap();
    }
    let imports = of_crate(directory.path());
    let of = |file: &str| {
        let name: Name = file.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        imports[&name].iter().map(|name| name.join("/")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(["", "a", "b", "b/inner", "c"].map(of), ["", "b b/inner", "a c", "b", ""]);
    let arrows =
        BTreeMap::from([(1, BTreeSet::from([2])), (2, BTreeSet::from([1, 3])), (3, BTreeSet::from([3, 4]))]);
    assert_eq!(circles(&arrows), BTreeSet::from([BTreeSet::from([1, 2])]));
}
