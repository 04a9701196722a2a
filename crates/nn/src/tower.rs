//! The towers, one file each; `medclip-export` tells the same towers in ONNX under the same names.

mod bert;
mod convolution;
mod efficientnet_lite;
mod image;
mod layer;
mod resnet;
mod swin;

pub use bert::{Bert, Prefix};
pub use convolution::Phase;
pub use efficientnet_lite::EfficientNetLite;
pub use image::{ImageTrunk, block_count, frozen_with};
pub use resnet::ResNet;
pub use swin::Swin;
