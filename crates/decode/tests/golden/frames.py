"""Small DICOM files, one for each compression: `python frames.py`, beside which it writes them.

Needs pydicom, numpy, pylibjpeg[all], python-gdcm, pyjpegls and imagecodecs. All hold the same 37 × 23 samples of 12 bits,
(91 x + 57 y + x y) mod 4096, but those whose compression takes 8 bits: their samples are shifted right by four.
Lossy frames hold them nearly: NAME.u16 are their samples as pydicom decodes them, little-endian.
"""

import pathlib

import imagecodecs
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    HTJ2KLossless,
    JPEG2000,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

WIDTH, HEIGHT = 37, 23


def samples():
    x, y = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    return ((91 * x + 57 * y + x * y) % 4096).astype(np.uint16)


def file(name, syntax, stream, bits=12, lossy=False):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    ds.Modality = "DX"
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.Rows, ds.Columns = HEIGHT, WIDTH
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = (16 if bits > 8 else 8), bits, bits - 1
    ds.PixelRepresentation = 0
    ds.PixelData = encapsulate([stream])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    path = pathlib.Path(__file__).parent / f"{name}.dcm"
    ds.save_as(path, enforce_file_format=True)
    if lossy:
        ds.pixel_array.astype("<u2").tofile(path.with_suffix(".u16"))


def main():
    deep = samples()
    flat = (deep >> 4).astype(np.uint8)
    file("rle", RLELossless, rle(deep))
    file("jpeg_baseline", JPEGBaseline8Bit, imagecodecs.jpeg8_encode(flat, level=95), 8, lossy=True)
    file("jpeg_extended", JPEGExtended12Bit, imagecodecs.jpeg8_encode(deep, level=95, bitspersample=12), lossy=True)
    file("jpeg_lossless", JPEGLosslessSV1, imagecodecs.ljpeg_encode(deep, bitspersample=12))
    file("jpeg_ls", JPEGLSLossless, imagecodecs.jpegls_encode(deep))
    file("jpeg_ls_near", JPEGLSNearLossless, imagecodecs.jpegls_encode(deep, level=2), lossy=True)
    file("jpeg2000", JPEG2000Lossless, imagecodecs.jpeg2k_encode(deep, level=0, reversible=True, codecformat="j2k", bitspersample=12))
    file("jpeg2000_lossy", JPEG2000, imagecodecs.jpeg2k_encode(deep, level=70, codecformat="j2k", bitspersample=12), lossy=True)
    file("htj2k", HTJ2KLossless, imagecodecs.htj2k_encode(deep))
    # pydicom does not know JPEG XL, whose identifier is as long.
    file("jpegxl", HTJ2KLossless, imagecodecs.jpegxl_encode(deep, lossless=True, bitspersample=12))
    path = pathlib.Path(__file__).parent / "jpegxl.dcm"
    path.write_bytes(path.read_bytes().replace(HTJ2KLossless.encode(), b"1.2.840.10008.1.2.4.110"))


def rle(frame):
    from pydicom.pixels.encoders.native import _encode_segment

    rows = [frame >> 8, frame & 0xFF]
    segments = [bytes(_encode_segment(plane.astype(np.uint8).tobytes(), columns=WIDTH)) for plane in rows]
    header = np.zeros(16, "<u4")
    header[0] = len(segments)
    header[1] = 64
    header[2] = 64 + len(segments[0])
    return header.tobytes() + b"".join(segments)


if __name__ == "__main__":
    main()
