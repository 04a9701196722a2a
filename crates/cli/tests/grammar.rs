//! Tests the grammar of `docs/guide/commands.md` over clap's own model: one name for one thing, and verbs that do as they say.

use std::collections::{BTreeMap, BTreeSet};

use clap::builder::Str;
use clap::{Arg, Command};

/// Options whose name says the same in every command, with the short form, the name of the value, the variable and the values.
///
/// A command may offer some of the values, in this order.
const COMMON: [Common; 9] = [
    Common { long: "batch", short: None, value: "N", env: None, values: &[] },
    Common { long: "engine", short: None, value: "ENGINE", env: None, values: &[] },
    Common { long: "format", short: None, value: "FORMAT", env: None, values: FORMATS },
    Common { long: "model", short: None, value: "DIR", env: Some("MEDCLIP_MODEL"), values: &[] },
    Common { long: "output", short: Some('o'), value: "PATH", env: None, values: &[] },
    Common { long: "precision", short: None, value: "PRECISION", env: None, values: &[] },
    Common { long: "seed", short: None, value: "N", env: None, values: &[] },
    Common { long: "split", short: None, value: "SPLIT", env: None, values: &["train", "val", "test"] },
    Common { long: "threads", short: None, value: "N", env: None, values: &[] },
];

/// Forms of results.
const FORMATS: &[&str] = &["table", "json", "csv", "parquet", "html"];

/// Commands that write files or directories.
const WRITERS: [&str; 11] = [
    "data prepare",
    "export",
    "fit finetune",
    "fit probe",
    "fit prompts",
    "import",
    "index build",
    "man",
    "phantom",
    "restore",
    "train",
];

struct Common {
    long: &'static str,
    short: Option<char>,
    value: &'static str,
    env: Option<&'static str>,
    values: &'static [&'static str],
}

/// Every command that is shown and in this build, under its name after the program's.
fn commands() -> BTreeMap<String, Command> {
    fn gather(command: &Command, name: &str, found: &mut BTreeMap<String, Command>) {
        for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set() && !is_missing(inner)) {
            let name = format!("{name} {}", inner.get_name()).trim().to_owned();
            gather(inner, &name, found);
            found.insert(name, inner.clone());
        }
    }
    let mut found = BTreeMap::new();
    gather(&medclip_cli::command(), "", &mut found);
    found
}

/// Whether another build has the command: all that is asked of it is its feature.
fn is_missing(command: &Command) -> bool {
    command.is_disable_help_flag_set()
}

fn options(command: &Command) -> impl Iterator<Item = (&str, &Arg)> {
    command.get_arguments().filter_map(|arg| Some((arg.get_long()?, arg)))
}

fn has(command: &Command, long: &str) -> bool {
    options(command).any(|(name, _)| name == long)
}

/// Name of the value, if the option takes one.
fn value_name(arg: &Arg) -> String {
    if !arg.get_action().takes_values() {
        return String::new();
    }
    let names = arg.get_value_names().unwrap_or_default();
    names.iter().map(Str::as_str).collect::<Vec<_>>().join(" ")
}

fn values(arg: &Arg) -> Vec<String> {
    arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect()
}

fn variable(arg: &Arg) -> Option<&str> {
    arg.get_env().and_then(|name| name.to_str())
}

/// Whether `part` has some of the values of `whole`, in that order.
fn is_part(part: &[String], whole: &[&str]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|value| rest.any(|other| value == other))
}

fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_common_option_is_the_same_everywhere() {
    let mut wrong = Vec::new();
    for (name, command) in &commands() {
        for common in &COMMON {
            let Some((_, arg)) = options(command).find(|(long, _)| *long == common.long) else { continue };
            let found = (arg.get_short(), value_name(arg), variable(arg));
            let wanted = (common.short, common.value.to_owned(), common.env);
            let values = values(arg);
            if found != wanted || !is_part(&values, common.values) {
                wrong.push(format!("medclip {name} --{}: {found:?} {values:?}, not {wanted:?}", common.long));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn an_option_of_one_name_takes_the_same_everywhere() {
    let mut shapes: BTreeMap<String, BTreeMap<_, Vec<String>>> = BTreeMap::new();
    for (name, command) in &commands() {
        for (long, arg) in options(command).filter(|(long, _)| COMMON.iter().all(|known| known.long != *long))
        {
            let shape = (arg.get_short(), value_name(arg), variable(arg).map(ToOwned::to_owned), values(arg));
            shapes.entry(long.to_owned()).or_default().entry(shape).or_default().push(name.clone());
        }
    }
    let several = shapes.iter().filter(|(_, shapes)| shapes.len() > 1);
    assert_none(&several.map(|(long, shapes)| format!("--{long}: {shapes:?}")).collect::<Vec<_>>());
}

#[test]
fn a_short_option_is_of_one_name() {
    let mut names: BTreeMap<char, BTreeSet<String>> = BTreeMap::new();
    for command in commands().values() {
        for (long, arg) in options(command) {
            names.entry(arg.get_short().unwrap_or(' ')).or_default().insert(long.to_owned());
        }
    }
    names.remove(&' ');
    assert!(names.values().all(|names| names.len() == 1), "{names:?}");
}

#[test]
fn verbs_do_as_they_say() {
    let mut wrong = Vec::new();
    for (name, command) in commands().iter().filter(|(_, command)| !command.has_subcommands()) {
        let verb = name.split(' ').next().unwrap_or_default();
        let only_reads = ["eval", "runs", "verify", "inspect", "doctor", "bench"].contains(&verb);
        if only_reads && ["output", "replace", "keep", "save"].iter().any(|option| has(command, option)) {
            wrong.push(format!("medclip {name} only reads, and has an option to write"));
        }
        let writes = WRITERS.contains(&name.as_str());
        if writes && !has(command, "output") {
            wrong.push(format!("medclip {name} writes, and has no --output"));
        }
        if verb == "fit" && !writes && !has(command, "model") {
            wrong.push(format!("medclip {name} has no place to keep what it fits"));
        }
        if has(command, "replace") && !has(command, "output") && !has(command, "model") {
            wrong.push(format!("medclip {name} --replace replaces nothing that is named"));
        }
    }
    assert_none(&wrong);
}

#[test]
fn help_begins_with_one_line_for_people() {
    let lines = commands();
    let lines = lines.iter().map(|(name, command)| (name, command.get_about().map(ToString::to_string)));
    let wrong = lines.filter_map(|(name, about)| {
        let about = about.unwrap_or_default();
        let is_right = !about.is_empty() && !about.contains(['`', '\n']) && !about.ends_with('.');
        (!is_right).then(|| format!("medclip {name}: {about}"))
    });
    assert_none(&wrong.collect::<Vec<_>>());
}

#[test]
fn command_line_is_consistent() {
    medclip_cli::command().debug_assert();
}
