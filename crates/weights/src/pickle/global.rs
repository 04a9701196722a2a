//! What a pickle may name.

use crate::element::ElementType;

/// The functions and classes of a state dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Global {
    OrderedDict,
    /// `(storage, offset, shape, strides, …)`.
    RebuildTensor,
    /// `(tensor, …)`.
    RebuildParameter,
    /// A tuple of sizes.
    Size,
    /// A class of storages.
    Storage(ElementType),
    /// A dictionary with a default, which does not matter here.
    DefaultDict,
    /// A value that says nothing of a tensor's contents: its device or its type, numbers of `NumPy`, a path, a set, a time.
    Plain,
    /// A class of settings that training programs save beside a model; its objects are made by `NEWOBJ`.
    Settings,
}

impl Global {
    /// The one that Python calls `module.name`; none when it is not on the list.
    pub(super) fn find(module: &str, name: &str) -> Option<Self> {
        Some(match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("collections", "defaultdict") => Self::DefaultDict,
            ("torch._utils", "_rebuild_tensor_v2") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => {
                Self::RebuildParameter
            }
            ("torch", "Size") => Self::Size,
            ("torch", "device" | "float64" | "float32" | "float16" | "bfloat16" | "int64")
            | ("numpy", "dtype" | "ndarray")
            | ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar" | "_reconstruct")
            | ("_codecs", "encode")
            | ("collections", "Counter")
            | ("datetime", "datetime" | "date" | "timedelta")
            | (
                "builtins" | "__builtin__",
                "set" | "frozenset" | "complex" | "bytearray" | "list" | "dict" | "tuple" | "int" | "float"
                | "str" | "bool",
            )
            | (
                "pathlib" | "pathlib._local",
                "PosixPath" | "WindowsPath" | "PurePosixPath" | "PureWindowsPath",
            ) => Self::Plain,
            ("argparse", "Namespace") => Self::Settings,
            ("torch", "DoubleStorage") => Self::Storage(ElementType::F64),
            ("torch", "FloatStorage") => Self::Storage(ElementType::F32),
            ("torch", "HalfStorage") => Self::Storage(ElementType::F16),
            ("torch", "BFloat16Storage") => Self::Storage(ElementType::BF16),
            ("torch", "LongStorage") => Self::Storage(ElementType::I64),
            ("torch", "IntStorage") => Self::Storage(ElementType::I32),
            ("torch", "ShortStorage") => Self::Storage(ElementType::I16),
            ("torch", "CharStorage") => Self::Storage(ElementType::I8),
            ("torch", "ByteStorage") => Self::Storage(ElementType::U8),
            ("torch", "BoolStorage") => Self::Storage(ElementType::Bool),
            _ => return None,
        })
    }
}
