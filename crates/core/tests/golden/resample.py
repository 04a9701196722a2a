"""Writes resample.txt: what Pillow makes of seeded images, by SHA-256. Run: python resample.py (Pillow 12, numpy).

Pillow goes along the rows first, then down the columns. Pillow 13 turns that round where the columns shrink more, all
versions do for images over 100 times as tall as wide; both then round some pixels otherwise. Padded images are square,
and the same in every version.

Columns: filter, least side of the black square the image is centred on (0: none), width, height, new width, new height,
contrast (0: noise, 1: black and white only, the most overshoot), SHA-256 of the result's bytes.
"""

import hashlib
from pathlib import Path

import numpy as np
import PIL
from PIL import Image

assert int(PIL.__version__.split(".")[0]) < 13, PIL.__version__
FILTERS = {"bicubic": Image.BICUBIC, "bilinear": Image.BILINEAR}
SIZES = [
    (1, 1, 1, 1), (1, 1, 7, 5), (1, 9, 4, 4), (9, 1, 4, 4), (2, 2, 224, 224), (3, 5, 5, 3), (5, 3, 1, 1),
    (16, 16, 16, 16), (17, 16, 16, 16), (16, 17, 16, 16), (31, 33, 32, 32), (64, 64, 63, 65), (100, 40, 33, 77),
    (255, 257, 128, 128), (256, 256, 224, 224), (256, 256, 160, 160), (64, 64, 224, 224), (640, 480, 224, 224),
    (1000, 1, 10, 3), (12, 1000, 3, 10), (1023, 769, 256, 256), (2000, 2000, 224, 224), (2500, 2048, 224, 224),
    (70, 5000, 224, 224), (5000, 7, 224, 224),
]
PADDED = [
    (1, 1, 224, 224), (1, 2, 3, 224), (100, 50, 224, 224), (51, 100, 96, 224), (300, 200, 224, 224), (199, 301, 224, 224),
    (224, 224, 224, 224), (223, 224, 224, 224), (225, 224, 224, 224), (1, 3000, 160, 224), (3000, 1, 160, 224),
    (2500, 2048, 224, 224), (37, 91, 64, 1),
]


def image(width, height, contrast):
    index = np.arange(width * height, dtype=np.uint32)
    value = (index + np.uint32(width * 65_537 + height)) * np.uint32(2_654_435_761)
    value ^= value >> np.uint32(15)
    value *= np.uint32(2_246_822_519)
    pixels = (value >> np.uint32(24)).astype(np.uint8)
    if contrast:
        pixels = np.where(pixels < 128, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels.reshape(height, width), "L")


def padded(source, least):
    # MedCLIPFeatureExtractor.pad_img of RyanWangZf/MedCLIP 9c3396f.
    width, height = source.size
    side = max(least, width, height)
    canvas = Image.new("L", (side, side), 0)
    canvas.paste(source, (int((side - width) / 2), int((side - height) / 2)))
    return canvas


def lines():
    for name, kernel in FILTERS.items():
        cases = [(0, *size) for size in SIZES] + [(least, w, h, n, n) for w, h, n, least in PADDED]
        for least, width, height, new_width, new_height in cases:
            for contrast in (0, 1):
                source = image(width, height, contrast)
                if least:
                    source = padded(source, least)
                result = source.resize((new_width, new_height), kernel)
                digest = hashlib.sha256(result.tobytes()).hexdigest()
                yield f"{name} {least} {width} {height} {new_width} {new_height} {contrast} {digest}\n"


Path(__file__).with_name("resample.txt").write_text("".join(lines()))
