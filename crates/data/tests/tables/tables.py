"""Writes the Parquet files beside it: the same five rows as polars, pyarrow, DuckDB and fastparquet write them, and columns that have no text.

    python crates/data/tests/tables/tables.py        # polars, pyarrow, duckdb and fastparquet of November 2026
"""

import decimal
from pathlib import Path

import duckdb
import fastparquet
import polars
import pyarrow as pa
import pyarrow.parquet as parquet

HERE = Path(__file__).parent
ROWS = {
    "path": [f"films/{row}.png" for row in range(5)],
    "split": ["train", "train", "val", "test", "train"],
    "id": [3, 10**12, 7, 8, 9],
    "report": ["Clear.", None, "", "Two\nlines.", "Große \"Silhouette\""],
    "edema": [1.0, 0.0, None, -1.0, 1.0],
    "pneumonia": [True, False, None, True, False],
}

frame = polars.DataFrame(ROWS)
frame.write_parquet(HERE / "polars-zstd.parquet")
frame.write_parquet(HERE / "polars-lz4.parquet", compression="lz4")
frame.with_columns(polars.struct("path", "id").alias("path")).write_parquet(HERE / "struct.parquet")
frame.with_columns(polars.concat_list("path").alias("path")).write_parquet(HERE / "list.parquet")
frame.with_columns(polars.col("path").cast(polars.Binary)).write_parquet(HERE / "binary.parquet")

table = pa.table(ROWS)


def edema(values, kind):
    return table.set_column(4, "edema", pa.array([None if value is None else values(value) for value in ROWS["edema"]], kind))


encodings = {
    "path": "DELTA_BYTE_ARRAY", "split": "DELTA_BYTE_ARRAY", "report": "DELTA_LENGTH_BYTE_ARRAY",
    "id": "DELTA_BINARY_PACKED", "edema": "BYTE_STREAM_SPLIT",
}
bare = {"store_schema": False, "write_statistics": False}
parquet.write_table(table, HERE / "delta.parquet", use_dictionary=False, column_encoding=encodings, compression="zstd", **bare)
parquet.write_table(table, HERE / "groups.parquet", data_page_version="2.0", compression="zstd", row_group_size=2, **bare)
decimals = edema(lambda value: decimal.Decimal(str(value)), pa.decimal128(3, 1))
parquet.write_table(decimals, HERE / "decimal.parquet", **bare)
parquet.write_table(edema(float, pa.float16()), HERE / "half.parquet", **bare)

connection = duckdb.connect()
connection.register("t", table)
for codec in ["brotli", "gzip", "snappy", "uncompressed"]:
    connection.execute(f"copy (from t) to '{HERE}/duckdb-{codec}.parquet' (format parquet, compression {codec})")
connection.execute(f"copy (from t) to '{HERE}/duckdb-v2.parquet' (format parquet, parquet_version v2, compression zstd)")

# The encoding that it states for levels a column lacks is the old one, as parquet-java does.
fastparquet.write(str(HERE / "fastparquet.parquet"), frame.to_pandas(), compression="GZIP")
