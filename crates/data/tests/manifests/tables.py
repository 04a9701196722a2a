"""Writes the Parquet files beside it, and manifest.csv, which says the same as manifest.parquet.

    python crates/data/tests/manifests/tables.py        # pyarrow 26.0.1

manifest.parquet has a column of each kind that is read, two row groups and every compression; each of the others has one
fault.
"""

import random
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as parquet

HERE = Path(__file__).parent
FINDINGS = [
    "No Finding", "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Lesion", "Lung Opacity", "Edema", "Consolidation",
    "Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion", "Pleural Other", "Fracture", "Support Devices",
]
TYPES = [pa.float64(), pa.float32(), pa.int8(), pa.int64(), pa.uint8(), pa.string(), pa.bool_()]
ROWS = 5


def cell(kind, draw):
    """A finding as a column of this type holds it; unsigned and truth values have no -1."""
    value = draw.choice([1, 0, None] if kind in (pa.uint8(), pa.bool_()) else [1, 0, -1, None])
    if value is None or kind in (pa.int8(), pa.int64(), pa.uint8()):
        return value
    return {pa.string(): str, pa.bool_(): bool}.get(kind, float)(value)


def manifest():
    draw = random.Random(7)
    columns = {
        "path": pa.array([f"films/{row}.png" for row in range(ROWS)]),
        "split": pa.array(["train", "train", "val", "test", "train"]).dictionary_encode(),
        "fold": pa.array([0.0, 1.0, 4.0, None, 255.0], pa.float64()),
        "source": pa.array(["phantom"] * ROWS, pa.large_string()),
        "patient_id": pa.array([3, 10**12, 7, 8, 9], pa.int64()),
        "patient_group": pa.array([3, 3, 7, 8, 9], pa.int32()),
        "view": pa.array(["PA", None, "", "Lateral", "AP"]),
        "taken": pa.array([0] * ROWS, pa.timestamp("us")),
        "text": pa.array(["Große Herzsilhouette, \"clear\" lungs.", None, "", "Two\nlines.", "Edema"], pa.large_string()),
    }
    for index, finding in enumerate(FINDINGS):
        kind = TYPES[index % len(TYPES)]
        columns[finding] = pa.array([cell(kind, draw) for _ in range(ROWS)], kind)
    return pa.table(columns)


def write(name, table, **options):
    options = {"compression": "snappy", "write_statistics": False, "store_schema": False} | options
    parquet.write_table(table, HERE / f"{name}.parquet", **options)


def replaced(table, column, values):
    return table.set_column(table.schema.get_field_index(column), column, values)


def as_text(column):
    """Numbers as the CSV reader takes them, truth values as 1 and 0, null as blank."""
    def text(value):
        if value is None:
            return ""
        return str(int(value)) if isinstance(value, (bool, float)) else str(value)
    return pa.array([text(value) for value in column.to_pylist()])


whole = manifest()
kinds = ["snappy", "zstd", "gzip", "none"]
write("manifest", whole, row_group_size=3, compression={n: kinds[i % 4] for i, n in enumerate(whole.column_names)})
csv.write_csv(pa.table({n: as_text(whole[n]) for n in whole.column_names if n != "taken"}), HERE / "manifest.csv")

write("half", replaced(whole, "Edema", pa.array([1.0, 0.5, None, 0.0, -1.0])))
write("not-a-number", replaced(whole, "Edema", pa.array([1.0, 0.0, float("nan"), 0.0, 1.0])))
write("no-name", replaced(whole, "patient_group", pa.array([3, 3, None, 8, 9], pa.int32())))
write("truth-as-name", replaced(whole, "source", pa.array([True] * ROWS)))
write("missing-column", whole.drop_columns(["Fracture"]))
write("twice", replaced(whole, "path", pa.array(["a.png", "b.png", "c.png", "b.png", "d.png"])))
write("reports", pa.table({"id": pa.array([3, 10**12, 11]), "split": pa.array(["train", None, "val"]),
                           "text": pa.array(["One.", "Two.", "Three."])}))
write("reports-dated", pa.table({"id": pa.array([3]), "text": pa.array([0], pa.date32())}))
