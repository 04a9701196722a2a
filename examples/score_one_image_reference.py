"""What `score_one_image.rs` prints, by Pillow and ONNX Runtime, to compare with.

    pip install numpy pillow onnxruntime
    python examples/score_one_image_reference.py examples/images/phantom-normal.png [models/medclip-edge]

Research use only, not for diagnosis.
"""

import json
import sys
import tomllib
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image


def preprocess(path, config):
    image = Image.open(path).convert("L")
    if config["pad_min_side"] > 0:
        side = max(config["pad_min_side"], *image.size)
        square = Image.new("L", (side, side), 0)
        square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
        image = square
    size = config["image_size"]
    filters = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
    image = image.resize((size, size), filters[config["resample"]])
    pixels = (np.asarray(image, np.float32) / 255 - config["mean"]) / config["std"]
    return np.broadcast_to(pixels, (1, config["channels"], size, size)).astype(np.float32)


def prompt_bank(path):
    data = path.read_bytes()
    header_len = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + header_len])
    start, end = header["embeddings"]["data_offsets"]
    values = np.frombuffer(data[8 + header_len :][start:end], "<f4")
    classes = json.loads(header["__metadata__"]["medclip_prompt_bank"])["classes"]
    return classes, values.reshape(header["embeddings"]["shape"])


def scores(embedding, classes, prompts, logit_scale):
    logits = np.exp(logit_scale) * (prompts @ embedding)
    row = 0
    for entry in classes:
        middle = row + len(entry["positive"])
        end = middle + len(entry["negative"])
        yield entry["name"], logits[row:middle].mean() - logits[middle:end].mean()
        row = end


def main(image, bundle="models/medclip-edge"):
    bundle = Path(bundle)
    config = tomllib.loads((bundle / "model.toml").read_text())
    options = onnxruntime.SessionOptions()
    session = onnxruntime.InferenceSession(bundle / "image.onnx", options, providers=["CPUExecutionProvider"])
    (embedding,) = session.run(None, {"pixel_values": preprocess(image, config["preprocess"])})
    bank = prompt_bank(bundle / "prompt_bank.safetensors")
    for name, logit in scores(embedding[0], *bank, config["logit_scale"]):
        print(f"{name:<28} {1 / (1 + np.exp(-logit)):.3f} {logit:+.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
