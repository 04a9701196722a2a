//! The towers, one file each; `medclip-export` tells the same towers in ONNX under the same names.

pub mod bert;
pub mod efficientnet_lite;

pub use bert::Bert;
pub use efficientnet_lite::EfficientNetLite;
