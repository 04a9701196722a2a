"""Writes small images of every kind with what Pillow's convert("L") makes of them. Run: python decode.py (Pillow, numpy).

NAME.png or NAME.jpg is the image, NAME.l8 the grey bytes, row by row; all are 37 by 23.
"""

from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).parent
WIDTH, HEIGHT = 37, 23
random = np.random.default_rng(7)
y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
smooth = 128 + 100 * np.sin(x / 6) * np.cos(y / 5)
grey = Image.fromarray(smooth.astype(np.uint8), "L")
colour = Image.fromarray(np.stack([smooth, smooth[::-1], 255 - smooth], -1).astype(np.uint8), "RGB")
noise = Image.fromarray(random.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8), "RGB")
alpha = Image.fromarray(random.integers(0, 256, (HEIGHT, WIDTH), np.uint8), "L")


def with_alpha(image):
    image = image.copy()
    image.putalpha(alpha)
    return image


def write(name, image, **options):
    image.save(HERE / name, **options)
    expected = Image.open(HERE / name).convert("L")
    (HERE / name).with_suffix(".l8").write_bytes(expected.tobytes())


write("grey.png", alpha)
write("grey_alpha.png", with_alpha(grey))
write("colour.png", noise)
write("colour_alpha.png", with_alpha(noise))
write("palette.png", noise.quantize(40))
write("palette_transparent.png", noise.quantize(16), transparency=3)
write("bilevel.png", alpha.convert("1"))
write("grey_baseline.jpg", grey, quality=90)
write("grey_progressive.jpg", grey, quality=90, progressive=True)
write("colour_444.jpg", colour, quality=90, subsampling=0)
write("colour_420.jpg", colour, quality=90, subsampling=2)
write("colour_progressive.jpg", colour, quality=85, progressive=True)
