"""What pydicom makes of its own test files, for tests/pydicom.rs: `python dicom.py OUT [DIRECTORY...]`.

Needs pydicom, numpy, pylibjpeg[all] and python-gdcm. Of every file with pixel data among those that come with pydicom, and
below the directories, it writes a line into OUT/index.tsv:

    name  path  frame  status  rows  columns  samples

`status` is `ok` or why pydicom gives no pixels. For `ok` there are OUT/N.values, the rescaled values of the frame (colour:
its samples as RGB) as little-endian doubles, and OUT/N.grey, eight-bit grey: modality LUT, VOI LUT or window, MONOCHROME1
turned; without a window from the lowest to the highest value, padding aside; colour by Pillow's formula for mode L.
Of files with several frames the first and the last are written.
"""

import pathlib
import sys
import warnings

import numpy as np
import pydicom
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, pixel_array


def luma(rgb):
    red, green, blue = (rgb[..., channel].astype(np.int64) for channel in range(3))
    return ((19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16).astype(np.uint8)


def padding(ds, stored):
    """Mask of the samples that are padding."""
    if "PixelPaddingValue" not in ds:
        return np.zeros(stored.shape, bool)
    ends = [int(ds.PixelPaddingValue), int(ds.get("PixelPaddingRangeLimit", ds.PixelPaddingValue))]
    return (stored >= min(ends)) & (stored <= max(ends))


def eight_bits(ds, stored, values):
    """Grey levels of a grey frame."""
    tables = ds.get("VOILUTSequence")
    if tables:
        shown = apply_voi_lut(values if values.dtype.kind in "iu" else values.astype(np.int64), ds, index=0)
        low, high = 0, 2 ** int(tables[0].LUTDescriptor[2]) - 1
    elif "WindowCenter" in ds:
        shown = apply_voi_lut(values.astype(np.float64), ds, index=0)
        bits, signed = int(ds.BitsStored), int(ds.PixelRepresentation)
        if ds.get("ModalityLUTSequence"):
            low, high = 0, 2 ** int(ds.ModalityLUTSequence[0].LUTDescriptor[2]) - 1
        else:
            low = -(2 ** (bits - 1)) if signed else 0
            high = 2 ** (bits - signed) - 1
            slope, intercept = float(ds.get("RescaleSlope", 1)), float(ds.get("RescaleIntercept", 0))
            low, high = low * slope + intercept, high * slope + intercept
    else:
        shown = values.astype(np.float64)
        kept = values[~padding(ds, stored)]
        kept = kept if kept.size else values
        low, high = kept.min(), kept.max()
    spread = (shown.astype(np.float64) - low) / (high - low) if high > low else np.zeros(shown.shape)
    grey = np.round(np.clip(spread, 0, 1) * 255).astype(np.uint8)
    return 255 - grey if ds.PhotometricInterpretation == "MONOCHROME1" else grey


def decode(path, ds, frame):
    """Values and grey levels of a frame."""
    photometric = ds.PhotometricInterpretation
    stored = pixel_array(ds, index=frame)
    if photometric == "PALETTE COLOR":
        colour = apply_color_lut(stored, ds)
        return stored, luma(colour >> 8 if colour.dtype == np.uint16 else colour)
    if stored.ndim == 3:
        bits = stored.dtype.itemsize * 8
        return stored, luma((stored >> (bits - 8)).astype(np.uint8))
    values = apply_modality_lut(stored, ds)
    return values, eight_bits(ds, stored, values)


def files(directories):
    bundled = pathlib.Path(pydicom.__file__).parent / "data"
    for root in [bundled, *map(pathlib.Path, directories)]:
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            if path.suffix not in (".py", ".pyc", ".json", ".md", ".txt", ".gz", ".icc", ".dump"):
                yield path.relative_to(root).as_posix(), path


def main(out, *directories):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    lines = []
    for name, path in files(directories):
        try:
            ds = pydicom.dcmread(path, force=True)
        except Exception:
            continue
        if not any(key in ds for key in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
            continue
        try:
            frames = int(ds.get("NumberOfFrames") or 1)
        except ValueError:
            frames = 1
        for frame in sorted({0, frames - 1}):
            shape = (0, 0, 0)
            try:
                values, grey = decode(path, ds, frame)
                number = len(lines)
                values.astype("<f8").tofile(out / f"{number}.values")
                grey.tofile(out / f"{number}.grey")
                shape = (*values.shape[:2], values.shape[2] if values.ndim == 3 else 1)
                status = "ok"
            except Exception as error:
                status = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            lines.append("\t".join(map(str, (name, path, frame, status, *shape))))
    (out / "index.tsv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
