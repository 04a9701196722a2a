//! Tensors out of safetensors and PyTorch files, without executing anything, and their names.
//!
//! [`TensorFile`] opens a file by what it holds: safetensors, the zip archives `torch.save` writes
//! (`pytorch_model.bin`, `.pt`), the format before PyTorch 1.6, and lists of shards (`model.safetensors.index.json`).
//! What people take for weights (a Git LFS pointer, a web page, ONNX, GGUF …) is called by its name. [`names`] recognizes whose names the tensors have
//! and gives them the ones of [`medclip_core::architecture`].
//!
//! ```
//! use medclip_weights::TensorFile;
//!
//! let mut file = TensorFile::open("tests/fixtures/state_zip.bin")?;
//! assert_eq!(file.shape("linear.weight"), Some(&[3, 2][..]));
//! let values: Vec<f32> = file.f32("linear.weight")?;
//! assert_eq!(values.len(), 6);
//! # Ok::<(), medclip_weights::TensorFileError>(())
//! ```
//!
//! # Safety of pickles
//! A PyTorch file describes its tensors by a pickle, a program that may call anything. Here it is read by a machine
//! that knows the operations and the globals a state dictionary needs and refuses every other by name; a call makes a
//! description, never an effect. Its steps are counted, its values live side by side and not inside each other, and
//! what it states about sizes is compared with the file before anything is allocated.
//!
//! # Limits
//! Little-endian files. One tensor is read at a time, so memory is that of the tensor asked for. Archives carry
//! checksums, which are verified; the other formats have none. Quantized, sparse and complex tensors are not read.

mod element;
mod error;
mod file;
mod format;
pub mod names;
mod note;
mod parts;
mod pickle;
mod shards;
mod source;
mod state;
mod view;

pub use element::ElementType;
pub use error::{FileFault, Foreign, PickleFault, TensorFault, TensorFileError};
pub use file::{TensorFile, TensorFileOptions};
pub use note::{OtherWeights, WeightsNote};
