//! The towers, one file each; `medclip-export` tells the same towers in ONNX under the same names.

pub mod bert;
mod convolution;
pub mod efficientnet_lite;
pub mod image;
mod layer;
pub mod resnet;
pub mod swin;

pub use bert::Bert;
pub use convolution::Phase;
pub use efficientnet_lite::EfficientNetLite;
pub use image::ImageTrunk;
pub use resnet::ResNet;
pub use swin::Swin;
