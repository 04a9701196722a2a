"""Compares the exported graphs of a checkpoint with reference.py in ONNX Runtime, and times them. By hand, not in CI.

    python check_onnxruntime.py random DIR [--seed N]     # a full-size checkpoint of random weights
    cargo run --release -p medclip-export --example graphs -- DIR OUT [f16]
    python check_onnxruntime.py compare DIR OUT [--threads N]

Needs torch 2, safetensors, onnx 1.15 and onnxruntime 1.17 or newer.
"""

import argparse
import json
import pathlib
import time
import tomllib
from statistics import median

import onnx
import onnxruntime
import torch
from safetensors.torch import load_file, save_file

import reference
import towers

# EfficientNet-Lite0 with one channel and MiniLM-L6, into the paper's joint space.
FULL_SIZE = """\
format = 1
name = "random"
description = "Random weights, for checks of the exporter."
logit_scale = 2.659260036932778

[architecture]
embedding_dim = 512

[architecture.image]
kind = "efficientnet_lite"
channels = 1
stem = 32
head = 1280
batch_norm_eps = 1e-3
stages = [
  { blocks = 1, kernel = 3, stride = 1, expand = 1, channels = 16 },
  { blocks = 2, kernel = 3, stride = 2, expand = 6, channels = 24 },
  { blocks = 2, kernel = 5, stride = 2, expand = 6, channels = 40 },
  { blocks = 3, kernel = 3, stride = 2, expand = 6, channels = 80 },
  { blocks = 3, kernel = 5, stride = 1, expand = 6, channels = 112 },
  { blocks = 4, kernel = 5, stride = 2, expand = 6, channels = 192 },
  { blocks = 1, kernel = 3, stride = 1, expand = 6, channels = 320 },
]

[architecture.text]
kind = "bert"
vocab_size = 30522
hidden_size = 384
num_hidden_layers = 6
num_attention_heads = 12
intermediate_size = 1536
max_position_embeddings = 512
type_vocab_size = 2
layer_norm_eps = 1e-12
pooling = "masked"
projection_bias = false

[preprocess]
image_size = 224
channels = 1
pad_min_side = 224
resample = "bicubic"
mean = 0.5862786
std = 0.2795009

[tokenizer]
lowercase = true
max_length = 77
"""


def random(args):
    args.checkpoint.mkdir(parents=True, exist_ok=True)
    (args.checkpoint / "model.toml").write_text(FULL_SIZE)
    architecture = tomllib.loads(FULL_SIZE)["architecture"]
    (args.checkpoint / "tokenizer.json").write_text(json.dumps(towers.tokenizer()))
    save_file(reference.random_weights(architecture, args.seed), args.checkpoint / "weights.safetensors")


def session(path, threads):
    onnx.checker.check_model(str(path), full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    start = time.perf_counter()
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    load_ms = 1000 * (time.perf_counter() - start)
    nodes = len(onnx.load(path, load_external_data=False).graph.node)
    print(f"{path.name}: {nodes} nodes, {path.stat().st_size / 2**20:.1f} MiB, loads in {load_ms:.0f} ms")
    return session


def latency_ms(run, at_least=10, seconds=3.0):
    run()
    times = []
    stop = time.perf_counter() + seconds
    while len(times) < at_least or time.perf_counter() < stop:
        start = time.perf_counter()
        run()
        times.append(1000 * (time.perf_counter() - start))
    return median(times)


def report(name, run, expected):
    [actual] = run()
    difference = (torch.from_numpy(actual) - expected).abs().max().item()
    print(f"  {name}: max|Δ| {difference:.1e}, median {latency_ms(run):.1f} ms")


def compare(args):
    model = tomllib.loads((args.checkpoint / "model.toml").read_text())
    architecture, side = model["architecture"], model["preprocess"]["image_size"]
    weights = {name: tensor.double() for name, tensor in load_file(args.checkpoint / "weights.safetensors").items()}
    generator = torch.Generator().manual_seed(1)

    image = session(args.graphs / "image.onnx", args.threads)
    for batch in [1, 3, 8]:
        pixels = torch.randn(batch, architecture["image"]["channels"], side, side, generator=generator)
        expected = reference.image_embeds(weights, architecture, pixels.double()).float()
        inputs = {"pixel_values": pixels.numpy()}
        report(f"batch {batch}", lambda: image.run(["image_embeds"], inputs), expected)

    text = session(args.graphs / "text.onnx", args.threads)
    for lengths in [[32], [32, 7, 19], [77, 12, 30, 5, 64, 41, 2, 77]]:
        mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long()
        ids = torch.randint(1, architecture["text"]["vocab_size"], mask.shape, generator=generator) * mask
        expected = reference.text_embeds(weights, architecture, ids, mask).float()
        inputs = {"input_ids": ids.numpy(), "attention_mask": mask.numpy()}
        name = f"batch {len(lengths)}, {max(lengths)} tokens"
        report(name, lambda: text.run(["text_embeds"], inputs), expected)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("random")
    command.add_argument("checkpoint", type=pathlib.Path)
    command.add_argument("--seed", type=int, default=0)
    command.set_defaults(run=random)
    command = commands.add_parser("compare")
    command.add_argument("checkpoint", type=pathlib.Path)
    command.add_argument("graphs", type=pathlib.Path)
    command.add_argument("--threads", type=int, default=1)
    command.set_defaults(run=compare)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
