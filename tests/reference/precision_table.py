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
import json
import os
import pathlib
import subprocess
import sys
import time
from statistics import median

import numpy as np

from precision.common import ENGINES, PEERS, PRECISIONS, TOWERS, say, side_of
from precision.making import make, run
from precision.table import table
from precision.towers import torch_tower

WARM_UP = 3
# How many times as many rounds: what takes a few milliseconds is disturbed more.
MORE_ROUNDS = {"edge": 5}


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
    command = ["bench", "--model", args.directory / tower, "--engine", engine, "--precision", ",".join(precisions)]
    command += ["--threads", threads, "--batch", batch, "--rounds", rounds(args, tower), "--runs", runs, "--format", "json"]
    if tower == "bert":
        command += ["--tower", "image,text"]
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
