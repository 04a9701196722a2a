"""Full-size MedCLIP weights, made at random by the real Python packages, imported and compared. By hand, not in CI.

    pip install torch torchvision transformers onnxruntime safetensors pillow
    pip install --no-deps medclip
    cargo build --release
    python tests/reference/full_size.py VOCAB.txt OUT [--medclip target/release/medclip] [--vision swin-tiny resnet50] [--candle]

VOCAB.txt is BERT's cased vocabulary of 28,996 tokens. For each image tower and each mode it writes pytorch_model.bin with the
package's own classes, runs `medclip import`, and prints a row for

- the graphs in ONNX Runtime, image batches and sentence batches of 1, 3 and 8, sentences padded to the longest;
- the prompt bank, which `medclip import` embedded with tract;
- `medclip score` on PNG files: tract, our preprocessing, pooling of prompts;
- with `--candle`, tract, rten and ONNX Runtime beside candle on the same weights.

A row is the smallest cosine and the largest difference of a logit (100 times a difference of cosines at the largest temperature
allowed) from PyTorch. Exit status 1 when a cosine is below 0.99999 or a difference above 1e-4.
"""

import argparse
import importlib.util
import json
import pathlib
import resource
import shutil
import subprocess
import sys
import time
import types

import numpy as np
import onnxruntime
import torch
import torch.nn.functional as F
import torchvision
import transformers
from PIL import Image
from safetensors import safe_open

MEAN, STD = 0.5862785803043838, 0.27950088968644304
SENTENCES = [
    "No acute cardiopulmonary abnormality.",
    "Large right pleural effusion.",
    "The heart is mildly enlarged, with bilateral perihilar opacities and Kerley B lines consistent with pulmonary edema; "
    "there is no pneumothorax, and the left-sided pacemaker leads are unchanged in position since the previous examination.",
    "Pneumothorax",
    "Linear atelectasis at the left lung base.",
    "Low lung volumes (5-2 cm).",
    "Endotracheal tube 3.2 cm above the carina",
    "Heart size normal.",
]
PROMPTS = """
[[class]]
name = "Cardiomegaly"
positive = { sentences = ["The heart is enlarged.", "Mild cardiomegaly with a tortuous thoracic aorta.", "Cardiomegaly"] }
negative = { sentences = ["Heart size is normal.", "Normal cardiac silhouette"] }

[[class]]
name = "Pleural Effusion"
positive = { sentences = ["Small left pleural effusion.", "Bilateral pleural effusions, larger on the right"] }
negative = { sentences = ["No pleural effusion.", "The costophrenic angles are sharp.", "Clear lungs"] }
"""
CLASSES = {
    "Cardiomegaly": (
        ["The heart is enlarged.", "Mild cardiomegaly with a tortuous thoracic aorta.", "Cardiomegaly"],
        ["Heart size is normal.", "Normal cardiac silhouette"],
    ),
    "Pleural Effusion": (
        ["Small left pleural effusion.", "Bilateral pleural effusions, larger on the right"],
        ["No pleural effusion.", "The costophrenic angles are sharp.", "Clear lungs"],
    ),
}


def reference_classes():
    """The package's modelling file, without what its __init__ imports."""
    spec = importlib.util.find_spec("medclip")
    package = types.ModuleType("medclip")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["medclip"] = package
    # Only for downloads.
    sys.modules.setdefault("requests", types.ModuleType("requests"))
    from medclip import modeling_medclip

    torch.Tensor.cuda = lambda self, *args, **kwargs: self

    def from_pretrained(name, **kwargs):
        if "swin" in name:
            return transformers.SwinModel(transformers.SwinConfig())
        bert = transformers.BertConfig(vocab_size=28996, output_hidden_states=True)
        return transformers.BertModel(bert)

    modeling_medclip.AutoModel = types.SimpleNamespace(from_pretrained=from_pretrained)
    modeling_medclip.AutoTokenizer = types.SimpleNamespace(from_pretrained=lambda name: None)
    resnet50 = torchvision.models.resnet50
    torchvision.models.resnet50 = lambda pretrained: resnet50(weights=None)
    return modeling_medclip


@torch.no_grad()
def random_model(modeling, vision, seed):
    torch.manual_seed(seed)
    towers = {"swin-tiny": modeling.MedCLIPVisionModelViT, "resnet50": modeling.MedCLIPVisionModel}
    model = modeling.MedCLIPModel(vision_cls=towers[vision]).eval()
    # What starts at 0 or 1 would hide mistakes; matrices start small, so that every image would look the same.
    for name, tensor in model.state_dict().items():
        if not tensor.is_floating_point() or name == "logit_scale":
            continue
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 1.5)
        elif "relative_position_bias_table" in name or tensor.dim() < 2:
            tensor.add_(torch.randn_like(tensor) * 0.1)
        elif "layer" in name and tensor.dim() == 2:
            tensor.mul_(1.5)
    model.logit_scale.fill_(4.6052)
    return model


def pictures(count):
    """Smooth random films of several sizes and shapes."""
    generator = np.random.default_rng(0)
    for index in range(count):
        width, height = [(224, 224), (300, 260), (180, 400), (640, 512)][index % 4]
        coarse = Image.fromarray(generator.integers(0, 256, (9, 9), dtype=np.uint8))
        yield coarse.resize((width, height), Image.BICUBIC)


def preprocess(image):
    """As MedCLIPFeatureExtractor: padded to a black square, resized, normalised, one channel repeated."""
    side = max(224, *image.size)
    square = Image.new("L", (side, side), 0)
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    pixels = np.asarray(square.resize((224, 224), Image.BICUBIC), dtype=np.float32) / 255
    return torch.from_numpy((pixels - np.float32(MEAN)) / np.float32(STD)).expand(3, -1, -1)


def embed_texts(model, tokens, mode):
    ids, mask = tokens["input_ids"], tokens["attention_mask"]
    if mode == "reference":
        return model.encode_text(ids, mask)
    text = model.text_model
    states = text.model(input_ids=ids, attention_mask=mask)["hidden_states"]
    states = (states[1] + states[2] + states[-1]) / 3
    pooled = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    return F.normalize(text.projection_head(pooled), dim=-1)


class Table:
    def __init__(self):
        self.failed = False

    def row(self, what, cosine, logit):
        self.failed |= not (cosine >= 0.99999 and logit <= 1e-4)
        print(f"| {what} | {1 - cosine:.1e} | {logit:.1e} |", flush=True)

    def embeddings(self, what, actual, expected, others, scale):
        """`others` are the embeddings of the other side, which logits are taken with."""
        actual, expected = torch.as_tensor(actual), torch.as_tensor(expected)
        cosine = F.cosine_similarity(actual.double(), expected.double()).min().item()
        logit = scale * ((actual.double() - expected.double()) @ others.double().T).abs().max().item()
        self.row(what, cosine, logit)


def session(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@torch.no_grad()
def compare(args, modeling, tokenizer, vision, mode, table):
    folder = args.out / vision
    folder.mkdir(parents=True, exist_ok=True)
    model = random_model(modeling, vision, seed=0)
    weights = folder / "pytorch_model.bin"
    torch.save(model.state_dict(), weights)
    (folder / "prompts.toml").write_text(PROMPTS)
    bundle = folder / mode
    shutil.rmtree(bundle, ignore_errors=True)
    start = time.perf_counter()
    command = [args.medclip, "import", weights, "-o", bundle, "--tokenizer", args.vocabulary, "--lowercase", "--vision", vision,
               "--mode", mode, "--prompts", folder / "prompts.toml"]
    subprocess.run(list(map(str, command)), check=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{vision}, {mode}: imported in {time.perf_counter() - start:.0f} s, peak of all imports {peak:.0f} MiB, "
          f"weights {weights.stat().st_size / 2**20:.0f} MiB\n")

    images = list(pictures(8))
    pixels = torch.stack([preprocess(image) for image in images])
    scale = model.logit_scale.exp().item()
    tokens = tokenizer(SENTENCES, padding=True, return_tensors="pt")
    all_images, all_texts = model.encode_image(pixels), embed_texts(model, tokens, mode)

    print("| what | 1 − smallest cosine | largest Δlogit |\n|---|---|---|")
    graph = session(bundle / "image.onnx")
    for batch in [1, 3, 8]:
        actual = graph.run(None, {"pixel_values": pixels[:batch].numpy()})[0]
        table.embeddings(f"image tower, ONNX Runtime, batch {batch}", actual, all_images[:batch], all_texts, scale)
    graph = session(bundle / "text.onnx")
    for batch in [1, 3, 8]:
        tokens = tokenizer(SENTENCES[:batch], padding=True, return_tensors="pt", truncation=True, max_length=77)
        inputs = {name: tokens[name].numpy() for name in ["input_ids", "attention_mask"]}
        expected = embed_texts(model, tokens, mode)
        length = inputs["input_ids"].shape[1]
        what = f"text tower, ONNX Runtime, batch {batch} of {length} tokens"
        table.embeddings(what, graph.run(None, inputs)[0], expected, all_images, scale)

    prompts = [sentence for sides in CLASSES.values() for side in sides for sentence in side]
    tokens = tokenizer(prompts, padding=True, return_tensors="pt")
    expected = embed_texts(model, tokens, mode)
    with safe_open(bundle / "prompt_bank.safetensors", "pt") as file:
        bank = file.get_tensor("embeddings")
    table.embeddings("prompt bank, tract", bank, expected, all_images, scale)

    for index, image in enumerate(images):
        image.save(folder / f"{index}.png")
    paths = [str(folder / f"{index}.png") for index in range(len(images))]
    command = [str(args.medclip), "score", "--model", str(bundle), "--format", "json", *paths]
    scored = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    logits = scale * all_images.double() @ expected.double().T
    worst, start = 0.0, 0
    pool = (lambda side: side.max(1).values) if mode == "reference" else (lambda side: side.mean(1))
    for place, (positive, negative) in enumerate(CLASSES.values()):
        middle, end = start + len(positive), start + len(positive) + len(negative)
        wanted = pool(logits[:, start:middle]) - pool(logits[:, middle:end])
        start = end
        for line, value in zip(scored, wanted):
            worst = max(worst, abs(json.loads(line)["findings"][place]["logit"] - value.item()))
    table.row("`medclip score`, tract, from PNG", 1.0, worst)
    if args.candle:
        verify(args, bundle, weights, table)
    print()


def verify(args, bundle, weights, table):
    """Engines beside candle, which takes the weights from the same file."""
    command = [args.medclip, "verify", "--model", bundle, "--against", weights, "--format", "json"]
    for engine in ["tract", "rten", "ort-cpu"]:
        command += ["--engine", engine]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if not done.stdout:
        sys.exit(done.stderr)
    for each in json.loads(done.stdout)["results"]:
        cosine = min(each["image"]["cosine"], each["text"]["cosine"])
        table.row(f"`medclip verify`, {each['engine']} beside candle, batch {each['batch']}", cosine, each["logit"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vocabulary", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--medclip", type=pathlib.Path, default="target/release/medclip")
    parser.add_argument("--vision", nargs="+", default=["swin-tiny", "resnet50"])
    parser.add_argument("--candle", action="store_true", help="also `medclip verify`, which needs a build with `--features train`")
    parser.add_argument("--mode", nargs="+", default=["paper", "reference"])
    args = parser.parse_args()
    modeling, table = reference_classes(), Table()
    with torch.no_grad():
        args.out.mkdir(parents=True, exist_ok=True)
        # A directory of its own: the tokenizer looks for vocab.txt.
        shutil.copy(args.vocabulary, args.out / "vocab.txt")
        tokenizer = transformers.BertTokenizer.from_pretrained(str(args.out), do_lower_case=True)
        for vision in args.vision:
            for mode in args.mode:
                compare(args, modeling, tokenizer, vision, mode, table)
    sys.exit(table.failed)


if __name__ == "__main__":
    main()
