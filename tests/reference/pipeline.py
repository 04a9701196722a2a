"""Images a second of `medclip score --output`, beside the model alone and beside a plain Python loop, in one run.

    cargo build --release -p medclip-cli
    python tests/reference/pipeline.py target/release/medclip --count 2000

Inputs are phantoms as JPEG of 1,024 by 1,024 pixels. The settings take turns, as often as --rounds says; medians are compared. "Model
alone" is `medclip bench` at the batch of the engine, as many processes of one thread as there are threads where that batch is 1.
The loop is Pillow and ONNX Runtime with as many threads. Needs Pillow, numpy and onnxruntime.
"""

import argparse
import importlib.util
import io
import json
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time
import tomllib

import onnxruntime
from PIL import Image

ROOT = pathlib.Path(__file__).parents[2]


def reference():
    spec = importlib.util.spec_from_file_location("reference", ROOT / "examples/score_one_image_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_films(program, directory, count, side):
    """A few hundred distinct phantoms, copied until there are enough."""
    drawn = directory / "drawn"
    subprocess.run([program, "phantom", "-o", drawn, "--count", str(min(count, 200)), "--size", str(side)], check=True)
    pool = []
    for path in sorted((drawn / "images").iterdir()):
        jpeg = io.BytesIO()
        Image.open(path).convert("L").save(jpeg, "JPEG", quality=90)
        pool.append(jpeg.getvalue())
    films = directory / "films"
    films.mkdir()
    for index in range(count):
        (films / f"{index:05}.jpg").write_bytes(pool[index % len(pool)])
    return films


def score(program, model, films, output, engine, precision, threads):
    command = [program, "score", films, "--model", model, "--output", output, "--qc", "all=pass"]
    command += ["--engine", engine, "--precision", precision, "--threads", str(threads)]
    begun = time.monotonic()
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return time.monotonic() - begun


def loop(model, films, threads):
    reading = reference()
    begun = time.monotonic()
    config = tomllib.loads((model / "model.toml").read_text())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model / "image.onnx", options, providers=["CPUExecutionProvider"])
    bank = reading.prompt_bank(model / "prompt_bank.safetensors")
    for path in sorted(films.iterdir()):
        pixels = reading.preprocess(path, config["preprocess"])
        (embedding,) = session.run(None, {"pixel_values": pixels})
        list(reading.scores(embedding[0], *bank, config["logit_scale"]))
    return time.monotonic() - begun


def alone(program, model, engine, precision, threads, batch):
    """Images a second without decoding, preprocessing and scores."""
    processes, each = (threads, 1) if batch == 1 else (1, threads)
    command = [program, "bench", "--model", model, "--engine", engine, "--precision", precision, "--threads", str(each)]
    command += ["--batch", str(batch), "--rounds", "5", "--runs", "20", "--format", "json"]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(processes)]
    reports = [json.loads(process.communicate()[0]) for process in started]
    return sum(report["results"][0]["per_second"] for report in reports)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--model", type=pathlib.Path, default=ROOT / "models/medclip-edge")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--setting", action="append", help="ENGINE/PRECISION/BATCH; may be repeated")
    arguments = parser.parse_args()
    program, model, threads = arguments.program.resolve(), arguments.model, arguments.threads
    settings = [setting.split("/") for setting in arguments.setting or ["ort-cpu/fp32/16", "tract/fp32/1", "rten/fp32/1"]]
    work = pathlib.Path(tempfile.mkdtemp(prefix="pipeline-"))
    try:
        films = make_films(program, work, arguments.count, arguments.side)
        times, models, python = {}, {}, []
        for turn in range(arguments.rounds):
            python.append(arguments.count / loop(model, films, threads))
            for engine, precision, batch in settings:
                name = f"{engine} {precision}"
                models.setdefault(name, []).append(alone(program, model, engine, precision, threads, int(batch)))
                output = work / f"{engine}-{precision}-{turn}.parquet"
                seconds = score(program, model, films, output, engine, precision, threads)
                times.setdefault(name, []).append(arguments.count / seconds)
        print(f"{arguments.count} JPEGs of {arguments.side}² pixels, {threads} threads, medians of {arguments.rounds} turns, images a second:\n")
        print("| | score --output | model alone | share of the model's | × Python loop |\n|---|--:|--:|--:|--:|")
        plain = statistics.median(python)
        print(f"| Python loop, Pillow and ONNX Runtime, fp32 | {plain:.1f} | | | 1.00 |")
        for name, rates in times.items():
            rate, model_rate = statistics.median(rates), statistics.median(models[name])
            print(f"| {name} | {rate:.1f} | {model_rate:.1f} | {rate / model_rate:.2f} | {rate / plain:.2f} |")
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
