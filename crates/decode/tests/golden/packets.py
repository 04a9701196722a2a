"""Small JPEG 2000 codestreams with packets of every order: `python packets.py`, beside which it writes them, as packets_ORDER.j2k.

Needs numpy, and opj_compress of OpenJPEG 2.5 on the path. All hold waves with noise, of 75 × 61 pixels or of 41 × 37 colored ones.
"""

import pathlib
import subprocess
import tempfile

import numpy as np

GREY = ["-n", "4", "-r", "24,12,6"]
COLOR = ["-n", "3", "-r", "12,6,3"]
SMALL = ["-c", "[32,32],[16,32]", "-b", "16,8"]
FILMS = {
    "lrcp": ("grey", [*GREY, *SMALL, "-p", "LRCP", "-SOP"]),
    "rlcp": ("color", [*COLOR, "-b", "8,8", "-p", "RLCP", "-t", "17,24"]),
    "rpcl": ("color", [*COLOR, *SMALL, "-p", "RPCL", "-d", "19,7", "-T", "11,3", "-t", "27,32", "-TP", "R"]),
    "pcrl": ("grey", [*GREY, *SMALL, "-p", "PCRL", "-t", "40,30", "-EPH"]),
    "cprl": ("color", [*COLOR, *SMALL, "-p", "CPRL", "-SOP", "-EPH"]),
    "bypass": ("grey", ["-n", "3", "-r", "12,4", "-b", "32,32", "-M", "1"]),
    "termination": ("grey", ["-n", "3", "-r", "12,4", "-b", "32,32", "-M", "4"]),
    # Bypass, reset, termination, vertically causal, predictable termination and segmentation symbols.
    "flags": ("grey", ["-n", "3", "-r", "12,4", "-b", "32,32", "-M", "63", "-I"]),
    "layers": ("grey", ["-n", "2", "-b", "64,64", "-r", ",".join(str(rate) for rate in range(94, 3, -3))]),
}


def film(kind, path):
    """Waves and noise as a portable map."""
    rng = np.random.default_rng(5)
    width, height, channels, most = {"grey": (75, 61, 1, 4095), "color": (41, 37, 3, 255)}[kind]
    y, x, c = np.mgrid[0:height, 0:width, 0:channels]
    waves = (np.sin(x / 9 + c) + np.cos(y / 7 - c) + 2.5) / 5 + rng.normal(0, 0.02, x.shape)
    samples = np.clip(np.round(waves * most), 0, most).astype(">u2" if most > 255 else "u1")
    magic = "P5" if channels == 1 else "P6"
    path.write_bytes(f"{magic}\n{width} {height}\n{most}\n".encode() + samples.tobytes())


place = pathlib.Path(__file__).parent
with tempfile.TemporaryDirectory() as directory:
    for name, (kind, options) in FILMS.items():
        source = pathlib.Path(directory) / f"film.{'pgm' if kind == 'grey' else 'ppm'}"
        film(kind, source)
        subprocess.run(
            ["opj_compress", "-i", source, "-o", place / f"packets_{name}.j2k", *options],
            check=True,
            stdout=subprocess.DEVNULL,
        )
