//! How a graph is written, apart from what it computes.

/// Choices that change the file and not the function, up to rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GraphOptions {
    /// How matrices and kernels are stored.
    pub storage: Storage,
}

/// Type of the matrices, kernels and embedding tables in a file. Arithmetic is single precision either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Storage {
    /// Single precision: exact.
    #[default]
    F32,
    /// Half precision, widened while the graph loads: half the size, relative error up to 2⁻¹¹ per weight.
    /// Biases and norms stay single.
    F16,
}
