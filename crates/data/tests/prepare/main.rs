//! Data sets as they are distributed become manifests: small trees with the public headers, made here, and what each becomes.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test whose setting is broken fails")]

mod chexpert;
mod columns;
mod covid;
mod mimic;
mod mutations;
mod nih;
mod openi;
mod options;
mod padchest;
mod rsna;
#[path = "../support/mod.rs"]
#[allow(unreachable_pub, reason = "a module of several test binaries")]
mod support;
mod tree;
mod vindr;
