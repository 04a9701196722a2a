"""Every tower in every precision on every engine, beside PyTorch and ONNX Runtime in Python, as one Markdown table. By hand, not in CI.

    cargo build --release -p medclip-cli
    python tests/reference/precision_table.py make target/release/medclip DIR --films films.csv
    python tests/reference/precision_table.py measure target/release/medclip DIR > table.md

`make` fills DIR with four bundles that hold fp32, fp16 and int8: Swin-T, ResNet-50 and BERT-base with random weights, each beside a very
small other tower so that memory and load time are its own, and the shipped model. Every layer that can be has 8 bits, whatever
that costs: the limits of `medclip quantize` are opened, and the table says what its default limits would have said. It also writes
torch.onnx's export of the same weights, and compares embeddings. Films are a CSV file as `medclip quantize --calibrate` takes it; the
full-size towers see the first --count of them. What is there is kept, so an interrupted run can be repeated.

`measure` takes turns through all towers: `medclip bench`, one engine after the other with its precisions side by side, then PyTorch
eager and ONNX Runtime on torch's export, every setting in a new process. It keeps what every turn found in DIR/results and goes on
from there; `--only swin,edge` measures some. `table` writes the table again.

    ms, × fp32    one image or sentence; median. The ratio is to fp32 on the same engine in the same rounds
    a second      batches of 1 or of 8, whichever is faster, on two threads
    load ms       in a new process: opening the bundle, verifying all of its files, loading the tower; of the text tower, loading
                  and embedding one sentence; in Python, after the imports
    file MB       graph and weights
    peak MiB      of the process that ran one input at a time on one thread; in Python with interpreter and libraries
    cosine        least with the model's own graph: on films or sentences that nothing was calibrated on; and of the bundle's
                  golden inputs on this engine
    ΔAUROC        largest loss of a class with ten films of either kind

Twenty minutes on two threads with nothing else running; PyTorch and onnxruntime have their defaults but for the number of threads.

Needs numpy, onnx, onnxruntime, torch, torchvision, transformers, safetensors and tokenizers.
"""

import argparse
import csv
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
import tomllib
from statistics import median

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
GOLDEN = ROOT / "crates/export/tests/golden"
EDGE = ROOT / "models/medclip-edge"
TOWERS = {"swin": "Swin-T", "resnet": "ResNet-50", "bert": "BERT-base", "edge": "`medclip-edge`"}
ENGINES = ["ort-cpu", "rten", "tract"]
PEERS = {"torch": "PyTorch eager", "onnxruntime": "onnxruntime, torch.onnx's export"}
PRECISIONS = ["fp32", "fp16", "int8"]
DIM, SIDE, WARM_UP = 512, 224, 3
# How many times as many rounds: what takes a few milliseconds is disturbed more.
MORE_ROUNDS = {"edge": 5}
# The defaults of `medclip quantize --gate`, and the fewest labels of a class that they apply to.
LIMITS = {"cosine": 0.999, "top1": 0.99, "auroc": 0.005}
MIN_LABELS = 10
# Put before every prompt of the text tower, so that all of them are between 17 and 32 tokens: engines run 32.
LONG = "Frontal radiograph of the chest, compared with that of the previous week: "
TINY_RESNET = {"kind": "resnet", "channels": 3, "width": 8, "blocks": [1, 1, 1, 1], "batch_norm_eps": 1e-5}
BERT_BASE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
TINY_BERT = {"hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 1, "intermediate_size": 128}
# Engine, tower, and the share of fp32's time that its int8 is to take at most.
WANTED = [("ort-cpu", "swin", 0.5), ("ort-cpu", "resnet", 0.4), ("ort-cpu", "bert", 0.4), ("rten", "swin", 0.75)]


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def golden(name):
    """A module beside the golden files of the exporter."""
    sys.path.insert(0, str(GOLDEN))
    return __import__(name)


def side_of(tower):
    return "text" if tower == "bert" else "image"


# Towers in PyTorch. Imports are inside: a process that measures onnxruntime is to hold nothing of torch.


def bert(config, seed=None):
    """Sentences [batch, tokens] to unit rows [batch, dim], averaged over tokens and three layers as MedCLIP does."""
    import torch
    from transformers import BertConfig, BertModel

    class Bert(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = BertModel(BertConfig(**config), add_pooling_layer=False)
            self.projection_head = torch.nn.Linear(config["hidden_size"], DIM, bias=False)

        def forward(self, input_ids, attention_mask):
            found = self.model(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True)
            states = (found.hidden_states[1] + found.hidden_states[2] + found.hidden_states[-1]) / 3
            mask = attention_mask[..., None].to(states.dtype)
            pooled = (states * mask).sum(1) / mask.sum(1)
            return torch.nn.functional.normalize(self.projection_head(pooled), dim=-1)

    if seed is not None:
        torch.manual_seed(seed)
    tower = Bert().eval()
    if seed is not None:
        with torch.no_grad():
            for name, tensor in tower.named_parameters():
                if tensor.dim() < 2:
                    tensor.add_(torch.randn_like(tensor) * 0.1)
                elif "layer" in name:
                    tensor.mul_(1.5)
    return tower


def edge(image):
    """The EfficientNet-Lite of the shipped model, its batch normalisations folded as in the bundle's graph."""
    import torch
    import torch.nn.functional as F

    reference = golden("reference")

    class Conv(torch.nn.Module):
        def __init__(self, width, out, kernel, stride=1, groups=1):
            super().__init__()
            # Padding at stride 2 is not the same on both sides.
            self.conv = torch.nn.Conv2d(width, out, kernel, stride, kernel // 2 if stride == 1 else 0, groups=groups)

        def forward(self, x):
            [stride, _], [kernel, _] = self.conv.stride, self.conv.kernel_size
            return self.conv(x if stride == 1 else reference.same_padded(x, kernel, stride))

    class Block(torch.nn.Module):
        def __init__(self, width, hidden, out, kernel, stride):
            super().__init__()
            self.expand = Conv(width, hidden, 1) if hidden != width else None
            self.depthwise = Conv(hidden, hidden, kernel, stride, hidden)
            self.project = Conv(hidden, out, 1)
            self.residual = stride == 1 and width == out

        def forward(self, x):
            wide = x if self.expand is None else F.relu6(self.expand(x))
            found = self.project(F.relu6(self.depthwise(wide)))
            return x + found if self.residual else found

    class Tower(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = Conv(image["channels"], image["stem"], 3, 2)
            blocks = list(reference.blocks(image))
            self.blocks = torch.nn.Sequential(*(Block(*block) for block in blocks))
            self.head = Conv(blocks[-1][2], image["head"], 1)
            self.projection_head = torch.nn.Linear(image["head"], DIM, bias=False)

        def forward(self, pixels):
            x = F.relu6(self.head(self.blocks(F.relu6(self.stem(pixels)))))
            return F.normalize(self.projection_head(x.mean(dim=(2, 3))), dim=-1)

    return Tower().eval()


def base_config(width):
    vocabulary = json.loads((EDGE / "tokenizer.json").read_text())["model"]["vocab"]
    return {"vocab_size": len(vocabulary)} | width


def image_config(tower):
    full = golden("full_size").TOWERS
    return tomllib.loads(full[tower]) if tower in full else TINY_RESNET


def torch_tower(tower, directory):
    """With the weights of `directory`."""
    from safetensors.torch import load_file

    weights = load_file(directory / f"{tower}.safetensors")
    if tower in ["swin", "resnet"]:
        return golden("published").ImageTower(image_config(tower), DIM, SIDE).load(weights)
    if tower == "bert":
        module = bert(base_config({}) | BERT_BASE)
    else:
        module = edge(tomllib.loads((EDGE / "model.toml").read_text())["architecture"]["image"])
    module.load_state_dict(weights)
    return module


# Making what is measured.


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
        run(args.medclip, "import", directory / f"{tower}-both.safetensors", source, "--replace", *named)
        (directory / f"{tower}-both.safetensors").unlink()
        few(args.films, films, args.count)
    options = ["--precision", "fp16,int8", "--calibrate", films, "--engine", "ort-cpu", "--ranges", args.ranges]
    for each in towers:
        options += ["--tower", each]
    # Nothing is refused and nothing kept: the table judges.
    options += ["--gate", "cosine=0,top1=0,auroc=1", "--keep", "0", "--replace"]
    print(run(args.medclip, "quantize", source, bundle, *options).stdout, file=sys.stderr, end="")
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
        done = run(medclip, "verify", directory / tower, "--precision", precision, *engines, "--format", "json", check=False)
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


# Measuring.


def peer(args):
    """The process of one peer: says how long loading took, then answers batch and number of runs with their times."""
    directory, tower = args.directory, args.tower
    with np.load(directory / f"{tower}.npz") as arrays:
        arrays = dict(arrays)
    if args.kind == "torch":
        import torch

        torch.set_num_threads(args.threads)
        start = time.perf_counter()
        module = torch_tower(tower, directory)
        load_ms = 1000 * (time.perf_counter() - start)

        @torch.inference_mode()
        def once(batch):
            module(*(torch.from_numpy(array) for array in batch.values()))
    else:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = args.threads
        start = time.perf_counter()
        path = directory / f"{tower}.torch.onnx"
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        load_ms = 1000 * (time.perf_counter() - start)

        def once(batch):
            session.run(None, batch)

    print(json.dumps(load_ms), flush=True)
    for line in sys.stdin:
        batch, runs = json.loads(line)
        taken = {name: array[:batch] for name, array in arrays.items()}
        times = []
        for _ in range(WARM_UP + runs):
            start = time.perf_counter()
            once(taken)
            times.append(1000 * (time.perf_counter() - start))
        print(json.dumps(times[WARM_UP:]), flush=True)
    status = pathlib.Path("/proc/self/status").read_text()
    print(json.dumps(1024 * int(status.split("VmHWM:")[1].split()[0])), flush=True)


def rounds(args, tower):
    return args.rounds * MORE_ROUNDS.get(tower, 1)


def measure_peer(kind, tower, args):
    def process(threads, requests):
        command = [sys.executable, __file__, "peer", kind, tower, args.directory, str(threads)]
        lines = "".join(f"{json.dumps(request)}\n" for request in requests)
        done = subprocess.run(command, input=lines, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        return [json.loads(line) for line in done.stdout.splitlines()]

    calls = rounds(args, tower) * args.runs
    load_ms, times, peak = process(1, [[1, calls]])
    _, two, eight, _ = process(2, [[1, calls], [8, rounds(args, tower)]])
    rate = max(1000 * count * len(kept) / sum(kept) for count, kept in [(1, two), (8, eight)])
    return {"1": median(times), "2": median(two), "per_second": rate, "load_ms": load_ms, "peak": peak}


def bench(args, tower, engine, precisions, threads, batch, runs):
    """Figures of `medclip bench` by precision, and what failed."""
    command = ["bench", args.directory / tower, "--engine", engine, "--precision", ",".join(precisions)]
    command += ["--threads", threads, "--batch", batch, "--rounds", rounds(args, tower), "--runs", runs, "--format", "json"]
    if tower == "bert":
        command.append("--text")
    done = run(args.medclip, *command, check=False)
    if done.returncode == 0:
        report = json.loads(done.stdout)
        results = {each["precision"]: each for each in report["results"] if each["tower"] == side_of(tower)}
        for process in report["processes"]:
            results[process["precision"]] |= {"process": process}
        return results, {}
    message = done.stderr.strip().splitlines()[-1:]
    if len(precisions) == 1:
        return {}, {precisions[0]: " ".join(message)}
    # One of them cannot run: the others can, each beside fp32.
    results, failed = {}, {}
    for precision in precisions:
        pair = ["fp32"] if precision == "fp32" else ["fp32", precision]
        found, _ = bench(args, tower, engine, pair, threads, batch, runs) if len(precisions) > 2 else ({}, {})
        results |= {name: each for name, each in found.items() if name == precision}
        if precision not in found:
            failed[precision] = " ".join(message)
    return results, failed


def measure_engine(engine, tower, args):
    one, failed = bench(args, tower, engine, PRECISIONS, 1, 1, args.runs)
    two, _ = bench(args, tower, engine, list(one), 2, 1, args.runs) if one else ({}, {})
    eight, _ = bench(args, tower, engine, list(two), 2, 8, 1) if two else ({}, {})
    load = "text_load_ms" if tower == "bert" else "load_ms"
    rows = {}
    for precision in eight:
        process = one[precision]["process"]
        rows[precision] = {
            "1": one[precision]["p50_ms"],
            "2": two[precision]["p50_ms"],
            "ratio": {"1": one[precision]["relative"], "2": two[precision]["relative"]},
            "per_second": max(each[precision]["per_second"] for each in [two, eight]),
            "load_ms": process[load],
            "peak": process["peak_memory_bytes"],
        }
    return rows, failed


def verify_ms(args, tower):
    """Of a process that opens the bundle, verifies every file and loads nothing."""
    start = time.perf_counter()
    run(args.medclip, "inspect", args.directory / tower)
    return 1000 * (time.perf_counter() - start)


def measure(args):
    results = args.directory / "results"
    results.mkdir(exist_ok=True)
    settings = {"rounds": args.rounds, "runs": args.runs, "medclip": run(args.medclip, "--version").stdout.strip()}
    kept = results / "settings.json"
    if kept.is_file() and json.loads(kept.read_text()) != settings:
        sys.exit(f"{results} has figures of other settings: remove it, or use those of {kept.name}")
    kept.write_text(json.dumps(settings))
    begun = time.monotonic()
    for turn in range(args.turns):
        for tower in args.only:
            path = results / f"{tower}-{turn}.json"
            if path.is_file():
                continue
            found = {"verify_ms": verify_ms(args, tower)}
            for engine in ENGINES:
                say(f"turn {turn + 1} of {args.turns}, {tower}: {engine} ({(time.monotonic() - begun) / 60:.1f} min)")
                rows, failed = measure_engine(engine, tower, args)
                for precision, message in failed.items():
                    say(f"  {precision} cannot run: {message}")
                found |= {f"{engine} {precision}": row for precision, row in rows.items()}
            for kind in PEERS:
                say(f"turn {turn + 1} of {args.turns}, {tower}: {kind}")
                try:
                    found[f"{kind} fp32"] = measure_peer(kind, tower, args)
                except RuntimeError as error:
                    say(f"  {kind} cannot run: {error}")
            path.write_text(json.dumps(found))
    say(f"measured in {(time.monotonic() - begun) / 60:.1f} min")
    table(args)


# The table.


def over_turns(turns, name, *keys):
    def value(row):
        for key in keys:
            row = row[key]
        return row

    found = [value(turn[name]) for turn in turns if name in turn]
    return median(found) if found else None


def quantized(directory, tower):
    """Reports of the bundle by precision."""
    towers = json.loads((directory / tower / "quantization.json").read_text())["towers"]
    return {each["precision"]: each for each in towers if each["tower"] == side_of(tower)}


def auroc_loss(gate):
    judged = [each for each in gate["auroc"] if min(each["positives"], each["negatives"]) >= MIN_LABELS]
    return max((each["full"] - each["quantized"] for each in judged), default=None)


def failures(gate, trained):
    """What is past the default limits. First classes and AUROC of random weights mean nothing."""
    past = []
    if not gate["least_cosine"] >= LIMITS["cosine"]:
        past.append(f"cosine {gate['least_cosine']:.5f} < {LIMITS['cosine']}")
    if trained and not gate["top1"] >= LIMITS["top1"]:
        past.append(f"same first class for {100 * gate['top1']:.2f} % < {100 * LIMITS['top1']:g} %")
    loss = auroc_loss(gate) if trained else None
    if loss is not None and not loss <= LIMITS["auroc"]:
        past.append(f"AUROC loses {loss:.4f} > {LIMITS['auroc']}")
    return past


def cell(value, form):
    return "–" if value is None else format(value, form)


def milliseconds(value):
    return cell(value, ".2f" if value is not None and value < 10 else ".1f")


def rows_of(tower, directory, turns):
    reports, trained = quantized(directory, tower), tower == "edge"
    golden_cosines = json.loads((directory / f"{tower}.golden.json").read_text())
    peers = json.loads((directory / f"{tower}.peers.json").read_text())
    own = next(iter(reports.values()))["bytes"][0]
    torch_bytes = {"torch": f"{tower}.safetensors", "onnxruntime": f"{tower}.torch.onnx"}
    settings = [(engine, precision) for precision in PRECISIONS for engine in ENGINES]
    for program, precision in settings + [(kind, "fp32") for kind in PEERS]:
        name = f"{program} {precision}"
        report = None if program in PEERS else reports.get(precision)
        marks, size = "", own
        film_cosine, loss = None, None
        if report:
            size, film_cosine = report["bytes"][1], report["gate"]["least_cosine"]
            loss = auroc_loss(report["gate"]) if trained else None
            marks = " ¹" if failures(report["gate"], trained) else ""
        if program in PEERS:
            size = (directory / torch_bytes[program]).stat().st_size
        golden_cosine = peers[program] if program in PEERS else golden_cosines.get(name)
        figures = [over_turns(turns, name, key) for key in ["1", "2", "per_second", "load_ms", "peak"]]
        ratios = [None if program in PEERS or precision == "fp32" else over_turns(turns, name, "ratio", key) for key in "12"]
        one, two, rate, load, peak = figures
        yield [
            TOWERS[tower], PEERS.get(program, program), precision + marks, milliseconds(one), cell(ratios[0], ".2f"),
            milliseconds(two), cell(ratios[1], ".2f"), cell(rate, ".1f"), cell(load, ".0f"), cell(size / 1e6, ".1f"),
            cell(peak and peak / 2**20, ".0f"), cell(film_cosine, ".5f"), cell(golden_cosine, ".5f"), cell(loss, ".4f"),
        ]


HEADER = [
    "tower", "runs in", "precision", "ms, 1 thread", "× fp32", "ms, 2 threads", "× fp32", "a second", "load ms", "file MB",
    "peak MiB", "cosine", "golden cosine", "ΔAUROC",
]


def table(args):
    directory = args.directory
    if not any((directory / "results").glob("*-*.json")):
        sys.exit(f"nothing is measured in {directory}")
    print(f"| {' | '.join(HEADER)} |\n|---|---|---|{'--:|' * (len(HEADER) - 3)}")
    notes, wanted, about = [], [], []
    for tower in args.only:
        paths = sorted((directory / "results").glob(f"{tower}-*.json"))
        turns = [json.loads(path.read_text()) for path in paths]
        if not turns:
            continue
        verified = over_turns(turns, "verify_ms")
        about.append(f"{TOWERS[tower]} {len(turns)} and {verified:.0f} ms")
        for row in rows_of(tower, directory, turns):
            print(f"| {' | '.join(row)} |")
        for precision, report in quantized(directory, tower).items():
            gate, trained = report["gate"], tower == "edge"
            what = f"{TOWERS[tower]} {precision}: {gate['inputs']} {'sentences' if tower == 'bert' else 'films'}"
            if precision == "int8":
                what += f", {report['form']}, {report['layers']} layers of 8 bits, {len(report['kept'])} of single precision"
            if gate["top1"] is not None and not trained:
                what += f", same first class for {100 * gate['top1']:.2f} % (not judged: random weights have no classes; "
                what += "the default limit refuses it)" if gate["top1"] < LIMITS["top1"] else "the default limit allows it)"
            past, limits = failures(gate, trained), "default limits" if trained else "default limit of the cosine"
            notes.append(f"- {what}; {f'¹ past the {limits}: ' + ', '.join(past) if past else f'within the {limits}'}")
        for engine, of, share in WANTED:
            ratios = [over_turns(turns, f"{engine} int8", "ratio", threads) for threads in "12"]
            if of == tower and None not in ratios:
                found = " and ".join(f"{ratio:.2f}" for ratio in ratios)
                met = "met" if max(ratios) <= share else "met on one of them" if min(ratios) <= share else "missed"
                said = f"int8 takes {found} of fp32's time on one and two threads, wanted ≤ {share}: {met}"
                wanted.append(f"- {engine}, {TOWERS[tower]}: {said}")
    print(f"\nTurns, and a process that only verifies all files of the bundle, as every load of an image tower does: {'; '.join(about)}.")
    print("What half precision and 8 bits cost, by the reports of the bundles:\n\n" + "\n".join(notes))
    print("\n" + "\n".join(wanted))


def own_library():
    """medclip is to load the library that Python has."""
    import onnxruntime

    found = sorted(pathlib.Path(onnxruntime.__file__).parent.glob("capi/libonnxruntime.so.*"))
    if found:
        os.environ.setdefault("ORT_DYLIB_PATH", str(found[0]))


def towers_of(text):
    names = text.split(",")
    if unknown := [name for name in names if name not in TOWERS]:
        raise argparse.ArgumentTypeError(f"no tower is called {unknown[0]}; there are {', '.join(TOWERS)}")
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, verb in [("make", make), ("measure", measure), ("table", table)]:
        command = commands.add_parser(name)
        if verb is not table:
            command.add_argument("medclip", type=lambda path: pathlib.Path(path).resolve())
        command.add_argument("directory", type=lambda path: pathlib.Path(path).resolve())
        command.add_argument("--only", type=towers_of, default=list(TOWERS), metavar="TOWER,…")
        command.set_defaults(run=verb)
        if verb is make:
            command.add_argument("--films", type=pathlib.Path, required=True)
            command.add_argument("--count", type=int, default=120, help="films that full-size towers see")
            command.add_argument("--ranges", default="percentile=99.999")
        if verb is measure:
            command.add_argument("--turns", type=int, default=3)
            command.add_argument("--rounds", type=int, default=2, help="of one turn; batches of 8 run once in each")
            command.add_argument("--runs", type=int, default=4, help="of one input in one round")
    command = commands.add_parser("peer")
    command.add_argument("kind", choices=PEERS)
    command.add_argument("tower", choices=TOWERS)
    command.add_argument("directory", type=pathlib.Path)
    command.add_argument("threads", type=int)
    command.set_defaults(run=peer)
    args = parser.parse_args()
    if args.run in [make, measure]:
        own_library()
    args.run(args)


if __name__ == "__main__":
    main()
