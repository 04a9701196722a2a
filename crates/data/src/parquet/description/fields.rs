//! The fields of every structure in a file's description.
//!
//! # Source
//! <https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift>

use super::Fields;
use super::Shape::{Binary, Byte, Double, I16, I32, I64, List, Struct, Truth};

pub(super) const FILE: Fields = &[
    (1, I32),
    (2, List(&Struct(SCHEMA_ELEMENT))),
    (3, I64),
    (4, List(&Struct(ROW_GROUP))),
    (5, List(&Struct(KEY_VALUE))),
    (6, Binary),
    (7, List(&Struct(COLUMN_ORDER))),
    (8, Struct(ENCRYPTION_ALGORITHM)),
    (9, Binary),
];

const SCHEMA_ELEMENT: Fields = &[
    (1, I32),
    (2, I32),
    (3, I32),
    (4, Binary),
    (5, I32),
    (6, I32),
    (7, I32),
    (8, I32),
    (9, I32),
    (10, Struct(LOGICAL_TYPE)),
];

const LOGICAL_TYPE: Fields = &[
    (1, Struct(EMPTY)),
    (2, Struct(EMPTY)),
    (3, Struct(EMPTY)),
    (4, Struct(EMPTY)),
    (5, Struct(DECIMAL)),
    (6, Struct(EMPTY)),
    (7, Struct(TIME)),
    (8, Struct(TIME)),
    (10, Struct(INTEGER)),
    (11, Struct(EMPTY)),
    (12, Struct(EMPTY)),
    (13, Struct(EMPTY)),
    (14, Struct(EMPTY)),
    (15, Struct(EMPTY)),
    (16, Struct(VARIANT)),
    (17, Struct(GEOMETRY)),
    (18, Struct(GEOGRAPHY)),
    (19, Struct(EMPTY)),
];

const EMPTY: Fields = &[];
const DECIMAL: Fields = &[(1, I32), (2, I32)];
const TIME: Fields = &[(1, Truth), (2, Struct(TIME_UNIT))];
const TIME_UNIT: Fields = &[(1, Struct(EMPTY)), (2, Struct(EMPTY)), (3, Struct(EMPTY))];
const INTEGER: Fields = &[(1, Byte), (2, Truth)];
const VARIANT: Fields = &[(1, Byte)];
const GEOMETRY: Fields = &[(1, Binary)];
const GEOGRAPHY: Fields = &[(1, Binary), (2, I32)];

const KEY_VALUE: Fields = &[(1, Binary), (2, Binary)];
const COLUMN_ORDER: Fields = &[(1, Struct(EMPTY)), (2, Struct(EMPTY)), (3, Struct(EMPTY))];

const ROW_GROUP: Fields = &[
    (1, List(&Struct(COLUMN_CHUNK))),
    (2, I64),
    (3, I64),
    (4, List(&Struct(SORTING_COLUMN))),
    (5, I64),
    (6, I64),
    (7, I16),
];

const SORTING_COLUMN: Fields = &[(1, I32), (2, Truth), (3, Truth)];

const COLUMN_CHUNK: Fields = &[
    (1, Binary),
    (2, I64),
    (3, Struct(COLUMN_METADATA)),
    (4, I64),
    (5, I32),
    (6, I64),
    (7, I32),
    (8, Struct(COLUMN_CRYPTO)),
    (9, Binary),
];

const COLUMN_METADATA: Fields = &[
    (1, I32),
    (2, List(&I32)),
    (3, List(&Binary)),
    (4, I32),
    (5, I64),
    (6, I64),
    (7, I64),
    (8, List(&Struct(KEY_VALUE))),
    (9, I64),
    (10, I64),
    (11, I64),
    (12, Struct(STATISTICS)),
    (13, List(&Struct(PAGE_ENCODING_STATS))),
    (14, I64),
    (15, I32),
    (16, Struct(SIZE_STATISTICS)),
    (17, Struct(GEOSPATIAL_STATISTICS)),
];

const STATISTICS: Fields = &[
    (1, Binary),
    (2, Binary),
    (3, I64),
    (4, I64),
    (5, Binary),
    (6, Binary),
    (7, Truth),
    (8, Truth),
    (9, I64),
];

const PAGE_ENCODING_STATS: Fields = &[(1, I32), (2, I32), (3, I32)];
const SIZE_STATISTICS: Fields = &[(1, I64), (2, List(&I64)), (3, List(&I64))];
const GEOSPATIAL_STATISTICS: Fields = &[(1, Struct(BOUNDING_BOX)), (2, List(&I32))];

const BOUNDING_BOX: Fields =
    &[(1, Double), (2, Double), (3, Double), (4, Double), (5, Double), (6, Double), (7, Double), (8, Double)];

const ENCRYPTION_ALGORITHM: Fields = &[(1, Struct(AES)), (2, Struct(AES))];
const AES: Fields = &[(1, Binary), (2, Binary), (3, Truth)];
const COLUMN_CRYPTO: Fields = &[(1, Struct(EMPTY)), (2, Struct(COLUMN_KEY))];
const COLUMN_KEY: Fields = &[(1, List(&Binary)), (2, Binary)];
