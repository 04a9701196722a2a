//! Files and directories that are written whole or not at all, in folders that others may write to as well.
//!
//! What is written is staged in a directory of its own beside the target ([`StagedDirectory`], [`Folder`]). That directory has
//! a random name and the mode 0700, so nobody else can plant a link in it, and the files in it have the mode that they keep
//! from the start. It holds a file `mark`, which names the target and is locked while its writer lives: the next writer in the
//! same folder cleans up after one that was killed, and puts back a target that had been moved aside.
//!
//! A directory is replaced or removed only if it is of the expected [`Kind`] and holds nothing else. A [`Lock`] keeps two
//! processes from writing the same output.
//!
//! Permissions of what stays follow the umask.
//!
//! # Reading
//! Files that strangers made are opened without waiting and read within limits.
//!
//! | a path that | is opened with | may be |
//! |---|---|---|
//! | a search finds, or another file names | [`open_regular`] | a regular file |
//! | a person types | [`open_typed`] | a regular file or a pipe |
//!
//! Nothing here waits for a pipe that nobody writes into, and nothing reads a device: some act when they are opened, and
//! `/dev/zero` has no end. Errors are [`std::io::Error`]s that hold a [`FileFault`]; callers add the path. [`sha256`],
//! [`sha256_of_file`] and [`Summing`] give digests. [`Visited`] keeps a search of directories from coming to one twice.

mod digest;
mod directory;
mod error;
mod folder;
mod kind;
mod lock;
mod mark;
mod open;
mod place;
mod private;
mod sweep;
mod vacant;
mod visited;

pub use digest::{Summing, sha256, sha256_of_file, sha256_of_rest};
pub use directory::StagedDirectory;
pub use error::StagingError;
pub use folder::{Folder, replace_file, replace_file_with};
pub use kind::{Foreign, Kind};
pub use lock::{Holder, Lock, LockError};
pub use open::{
    FileFault, FromOffset, MAX_NAME_BYTES, MAX_TEXT_BYTES, Pipe, Typed, is_pipe, open_regular, open_typed,
    read_at_most, read_exact_at, read_name, read_regular, read_typed, special_kind, start_of, text,
};
pub use private::make_private;
pub use sweep::{is_staging, sweep};
pub use vacant::{AlreadyThere, check_vacant};
pub use visited::Visited;
