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

mod directory;
mod error;
mod folder;
mod kind;
mod lock;
mod mark;
mod place;
mod private;
mod sweep;

pub use directory::StagedDirectory;
pub use error::StagingError;
pub use folder::{Folder, replace_file, replace_file_with};
pub use kind::{Foreign, Kind};
pub use lock::{Holder, Lock, LockError};
pub use private::make_private;
pub use sweep::{is_staging, sweep};
