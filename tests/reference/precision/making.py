"""Making what is measured: weights, bundles in three precisions, torch.onnx's exports."""

import csv
import json
import shutil
import subprocess
import sys
import tomllib

import numpy as np

from .common import ENGINES, PRECISIONS, ROOT, say, side_of
from .towers import BERT_BASE, DIM, EDGE, SIDE, base_config, bert, golden, image_config, torch_tower

# Put before every prompt of the text tower, so that all of them are between 17 and 32 tokens: engines run 32.
LONG = "Frontal radiograph of the chest, compared with that of the previous week: "
TINY_BERT = {"hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 1, "intermediate_size": 128}


def run(medclip, *arguments, check=True):
    command = [str(medclip), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if check and done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stderr.strip()}")
    return done


def prompts(directory):
    """The shipped classes in longer sentences."""
    lines = (ROOT / "models/prompts/chest-xray.toml").read_text().splitlines()
    path = directory / "long-prompts.toml"
    path.write_text("\n".join(line.replace('  "', f'  "{LONG}', 1) for line in lines) + "\n")
    return path


def make_weights(tower, directory):
    """The tower under test in a file of its own, and both towers as MedCLIP's weights are published."""
    import torch
    from safetensors.torch import save_file

    published = golden("published")
    image = published.ImageTower(image_config(tower), DIM, SIDE).randomise(0)
    text = bert(base_config(BERT_BASE if tower == "bert" else TINY_BERT), seed=0)
    own = text.state_dict() if tower == "bert" else image.named()
    save_file({name: tensor.detach().contiguous() for name, tensor in own.items()}, directory / f"{tower}.safetensors")
    both = image.named() | {f"text_model.{name}": tensor for name, tensor in text.state_dict().items()}
    both = {name: tensor.detach().contiguous() for name, tensor in both.items()}
    both["logit_scale"] = torch.tensor(4.6052 / 2)
    save_file(both, directory / f"{tower}-both.safetensors")


def folded_weights(directory):
    """Those of the shipped image tower, from its graph."""
    import onnx
    import torch
    from safetensors.torch import save_file

    weights = {}
    for tensor in onnx.load(EDGE / "image.onnx").graph.initializer:
        name = tensor.name.removeprefix("vision_model.").removeprefix("model.")
        if name.endswith(("weight", "bias")):
            weights[name] = torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy())
    matrix = weights["projection_head.weight"]
    weights["projection_head.weight"] = matrix.T.contiguous()
    save_file(weights, directory / "edge.safetensors")


def make_bundle(args, tower):
    """In three precisions."""
    directory, bundle = args.directory, args.directory / tower
    if tower == "edge":
        folded_weights(directory)
        source, films, towers = EDGE, args.films, ["image"]
    else:
        make_weights(tower, directory)
        source, films = directory / f"{tower}-fp32", directory / "films.csv"
        towers = ["image", "text"] if tower == "bert" else ["image"]
        named = ["--tokenizer", EDGE / "tokenizer.json", "--lowercase", "--name", tower, "--prompts", prompts(directory)]
        run(args.medclip, "import", directory / f"{tower}-both.safetensors", "-o", source, "--replace", *named)
        (directory / f"{tower}-both.safetensors").unlink()
        few(args.films, films, args.count)
    options = ["--precision", "fp16,int8", "--calibrate", films, "--engine", "ort-cpu", "--ranges", args.ranges]
    for each in towers:
        options += ["--tower", each]
    # Nothing is refused and nothing kept: the table judges.
    options += ["--gate", "cosine=0,top1=0,auroc=1", "--keep", "0", "--replace"]
    print(run(args.medclip, "quantize", "--model", source, "-o", bundle, *options).stdout, file=sys.stderr, end="")
    if source != EDGE:
        shutil.rmtree(source)


def few(source, target, count):
    with open(source, newline="") as file:
        rows = list(csv.DictReader(file))[:count]
    for row in rows:
        row["path"] = (source.parent / row["path"]).resolve()
    with open(target, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def inputs(tower, bundle, count):
    """As `medclip bench` has them in shape: random pixels, and the first prompts of the bundle's classes."""
    if tower != "bert":
        config = tomllib.loads((bundle / "model.toml").read_text())["preprocess"]
        shape = (count, config["channels"], config["image_size"], config["image_size"])
        return {"pixel_values": np.random.default_rng(0).standard_normal(shape, dtype=np.float32)}
    import tokenizers

    classes = tomllib.loads((bundle / "prompts.toml").read_text())["class"]
    sentences = [sentence for each in classes for sentence in each["positive"]["sentences"]][:count]
    tokenizer = tokenizers.Tokenizer.from_file(str(bundle / "tokenizer.json"))
    tokenizer.no_padding()
    ids, mask = np.zeros((count, 32), np.int64), np.zeros((count, 32), np.int64)
    start, end, pad = (tokenizer.token_to_id(name) for name in ["[CLS]", "[SEP]", "[PAD]"])
    ids[:] = pad
    for row, sentence in enumerate(sentences):
        found = [start, *tokenizer.encode(sentence.lower(), add_special_tokens=False).ids, end]
        assert 16 < len(found) <= 32, sentence
        ids[row, : len(found)], mask[row, : len(found)] = found, 1
    return {"input_ids": ids, "attention_mask": mask}


def make_peers(tower, directory):
    """torch.onnx's export, the inputs of all peers, and how near the peers are to the bundle's fp32."""
    import onnxruntime
    import torch

    bundle, target = directory / tower, directory / f"{tower}.torch.onnx"
    arrays = inputs(tower, bundle, 8)
    np.savez(directory / f"{tower}.npz", **arrays)
    module = torch_tower(tower, directory)
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    axes = {name: {0: "batch"} | ({1: "tokens"} if tower == "bert" else {}) for name in tensors}
    output = "text_embeds" if tower == "bert" else "image_embeds"
    with torch.inference_mode():
        eager = module(*tensors.values()).numpy()
    torch.onnx.export(
        module, tuple(tensor[:2] for tensor in tensors.values()), target, input_names=list(tensors), output_names=[output],
        dynamic_axes=axes | {output: {0: "batch"}}, opset_version=17, dynamo=False,
    )
    cpu = {"providers": ["CPUExecutionProvider"]}
    exported, ours = (
        onnxruntime.InferenceSession(path, **cpu).run([output], arrays)[0].astype(np.float64)
        for path in [target, bundle / f"{side_of(tower)}.onnx"]
    )
    cosines = {"torch": least_cosine(eager, ours), "onnxruntime": least_cosine(exported, ours)}
    (directory / f"{tower}.peers.json").write_text(json.dumps(cosines))


def least_cosine(found, expected):
    norms = np.linalg.norm(found, axis=1) * np.linalg.norm(expected, axis=1)
    return float(((found.astype(np.float64) * expected).sum(1) / norms).min())


def make_golden(medclip, tower, directory):
    """How near every engine in every precision is to the golden embeddings, which are those of fp32."""
    found = {}
    for precision in PRECISIONS:
        engines = [argument for engine in ENGINES for argument in ["--engine", engine]]
        # Ends with 1 where engines differ by more than it allows: the table says by how much.
        done = run(medclip, "verify", "--model", directory / tower, "--precision", precision, *engines, "--format", "json", check=False)
        if not done.stdout:
            say(f"{tower} {precision}: {done.stderr.strip()}")
            continue
        for test in json.loads(done.stdout)["self_tests"]:
            found[f"{test['engine']} {precision}"] = test[side_of(tower)]
    (directory / f"{tower}.golden.json").write_text(json.dumps(found))


def make(args):
    args.directory.mkdir(parents=True, exist_ok=True)
    for tower in args.only:
        if not (args.directory / tower).is_dir():
            say(f"{tower}: weights, bundle, fp16 and int8")
            make_bundle(args, tower)
        if not (args.directory / f"{tower}.peers.json").is_file():
            say(f"{tower}: torch.onnx's export")
            make_peers(tower, args.directory)
        if not (args.directory / f"{tower}.golden.json").is_file():
            say(f"{tower}: golden inputs on every engine")
            make_golden(args.medclip, tower, args.directory)
    say("made")
