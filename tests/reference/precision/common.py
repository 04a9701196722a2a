"""What the other files here share: names, places, messages."""

import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).parents[3]
TOWERS = {"swin": "Swin-T", "resnet": "ResNet-50", "bert": "BERT-base", "edge": "`medclip-edge`"}
ENGINES = ["ort-cpu", "rten", "tract"]
PEERS = {"torch": "PyTorch eager", "onnxruntime": "onnxruntime, torch.onnx's export"}
PRECISIONS = ["fp32", "fp16", "int8"]


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def side_of(tower):
    return "text" if tower == "bert" else "image"
