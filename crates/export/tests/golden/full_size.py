"""Swin-T and ResNet-50 at full size: random weights exported by this crate, beside transformers and torchvision in
PyTorch and torch.onnx's own export, in ONNX Runtime and tract. By hand, not in CI.

    python full_size.py random swin DIR
    cargo run --release -p medclip-export --example graphs -- DIR OUT
    cargo build --release -p medclip-export --example tract
    python full_size.py compare DIR OUT --tract target/release/examples/tract

Needs torch 2, torchvision, transformers, safetensors, onnx 1.15 and onnxruntime 1.17 or newer.
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import time
import tomllib
from statistics import median

import onnx
import onnxruntime
import torch
from safetensors.torch import load_file, save_file

import published

HERE = pathlib.Path(__file__).parent
DIM = 512
TOWERS = {
    "swin": """kind = "swin"
channels = 3
patch_size = 4
embed_dim = 96
depths = [2, 2, 6, 2]
num_heads = [3, 6, 12, 24]
window_size = 7
mlp_ratio = 4
layer_norm_eps = 1e-5
""",
    "resnet": """kind = "resnet"
channels = 3
width = 64
blocks = [3, 4, 6, 3]
batch_norm_eps = 1e-5
""",
}


def random(args):
    """The golden checkpoint with its image tower replaced; its small text tower stays."""
    golden = HERE / "checkpoint"
    text = (golden / "model.toml").read_text()
    start, end = text.index("[architecture.image]"), text.index("[architecture.text]")
    text = text[:start] + "[architecture.image]\n" + TOWERS[args.kind] + "\n" + text[end:]
    text = text.replace("embedding_dim = 16", f"embedding_dim = {DIM}")
    text = text.replace("image_size = 32\nchannels = 1", f"image_size = {args.side}\nchannels = 3")
    weights = {name: tensor for name, tensor in load_file(golden / "weights.safetensors").items()}
    weights = {name: tensor for name, tensor in weights.items() if not name.startswith("vision_model.")}
    generator = torch.Generator().manual_seed(args.seed)
    for name in ["weight", "bias"]:
        name = f"text_model.projection_head.{name}"
        weights[name] = torch.randn(DIM, *weights[name].shape[1:], generator=generator)
    tower = published.ImageTower(tomllib.loads(TOWERS[args.kind]), DIM, args.side).randomise(args.seed)
    weights |= {name: tensor.detach().contiguous() for name, tensor in tower.named().items()}
    args.checkpoint.mkdir(parents=True, exist_ok=True)
    (args.checkpoint / "model.toml").write_text(text)
    shutil.copy(golden / "tokenizer.json", args.checkpoint / "tokenizer.json")
    save_file(weights, args.checkpoint / "weights.safetensors")


def session(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


LOAD = """
import sys, time
import onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.log_severity_level = 3
start = time.perf_counter()
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
print(1000 * (time.perf_counter() - start))
"""


def print_loads(paths, rounds):
    """Each load in a process of its own: in one, a load finds the memory that the one before has left."""
    times = [[] for _ in paths]
    for _ in range(rounds):
        for path, kept in zip(paths, times):
            done = subprocess.run([sys.executable, "-c", LOAD, path], check=True, capture_output=True, text=True)
            kept.append(float(done.stdout))
    for path, kept in zip(paths, times):
        nodes = len(onnx.load(path, load_external_data=False).graph.node)
        ratio = median(ours / theirs for ours, theirs in zip(kept, times[-1]))
        print(f"{path.name}: {nodes} nodes, loads in {median(kept):.0f} ms ({ratio:.2f} of torch.onnx's)")


def latencies_ms(runs, rounds):
    """Medians, the runs taken in turn so that whatever disturbs the machine disturbs them alike."""
    times = [[] for _ in runs]
    for index in range(rounds + 1):
        for run, kept in zip(runs, times):
            start = time.perf_counter()
            run()
            if index > 0:
                kept.append(1000 * (time.perf_counter() - start))
    return [median(kept) for kept in times]


def compare(args):
    model = tomllib.loads((args.checkpoint / "model.toml").read_text())
    image, side = model["architecture"]["image"], model["preprocess"]["image_size"]
    weights = load_file(args.checkpoint / "weights.safetensors")
    weights = {name: tensor for name, tensor in weights.items() if name.startswith("vision_model.")}
    tower = published.ImageTower(image, DIM, side).load(weights)
    exact = published.ImageTower(image, DIM, side).double().load({n: t.double() for n, t in weights.items()})
    generator = torch.Generator().manual_seed(1)

    ours, theirs = args.graphs / "image.onnx", args.graphs / "torch.onnx"
    onnx.checker.check_model(str(ours), full_check=True)
    example = torch.randn(1, image["channels"], side, side, generator=generator)
    axes = {"pixel_values": {0: "batch"}, "image_embeds": {0: "batch"}}
    torch.onnx.export(
        tower, (example,), theirs, input_names=["pixel_values"], output_names=["image_embeds"],
        dynamic_axes=axes, opset_version=17, dynamo=False,
    )
    print_loads([ours, theirs], args.rounds)
    for threads in [1, 2]:
        print(f"{threads} thread(s)")
        torch.set_num_threads(threads)
        sessions = [session(path, threads) for path in [ours, theirs]]
        for batch in [1, 3, 8]:
            pixels = torch.randn(batch, image["channels"], side, side, generator=generator)
            with torch.no_grad():
                expected = exact(pixels.double()).float()
            found = [session.run(["image_embeds"], {"pixel_values": pixels.numpy()})[0] for session in sessions]
            largest = [(torch.from_numpy(value) - expected).abs().max().item() for value in found]
            with torch.no_grad():
                eager = (tower(pixels) - expected).abs().max().item()
            print(f"  batch {batch}: max|Δ| ours {largest[0]:.1e}, torch.onnx {largest[1]:.1e}, torch f32 {eager:.1e}")
            inputs = args.graphs / "inputs.safetensors"
            save_file({"pixel_values": pixels}, inputs)
            runs = [lambda s=s: s.run(["image_embeds"], {"pixel_values": pixels.numpy()}) for s in sessions]
            with torch.no_grad():
                times = latencies_ms([*runs, lambda: tower(pixels)], args.rounds)
            line = f"  batch {batch}: ours {times[0]:.1f} ms, torch.onnx {times[1]:.1f} ms ({times[0] / times[1]:.2f}), torch {times[2]:.1f} ms"
            if args.tract and threads == 1:
                outputs = args.graphs / "outputs.safetensors"
                command = [args.tract, ours, inputs, outputs, str(args.rounds)]
                tract = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                difference = (load_file(outputs)["image_embeds"] - expected).abs().max().item()
                [again] = latencies_ms(runs[:1], args.rounds)
                line += f"; tract {tract['median_ms']:.1f} ms ({tract['median_ms'] / again:.2f} of ours now {again:.1f}),"
                line += f" loads in {tract['load_ms']:.0f} ms, max|Δ| {difference:.1e}"
            print(line, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("random")
    command.add_argument("kind", choices=TOWERS)
    command.add_argument("checkpoint", type=pathlib.Path)
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--side", type=int, default=224)
    command.set_defaults(run=random)
    command = commands.add_parser("compare")
    command.add_argument("checkpoint", type=pathlib.Path)
    command.add_argument("graphs", type=pathlib.Path)
    command.add_argument("--tract", type=pathlib.Path)
    command.add_argument("--rounds", type=int, default=15)
    command.set_defaults(run=compare)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
