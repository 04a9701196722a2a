"""Runs step.rs and step_reference.py in turns and prints the medians of each and of their ratios.

    python step_compare.py target/release/examples/step --rounds 3 -- --image swin-tiny --batch 16 --sequence 32

What follows `--` goes to both; --threads is part of it. The wall-clock ratio of a pair is disturbed by whatever else runs
on the machine, the ratio of processor seconds hardly. Torch's own options follow --reference-options.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
from pathlib import Path

PARTS = ["seconds", "cpu_seconds", "image", "text", "loss", "backward", "optimizer", "peak_mib"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("step", help="the built example, or several with other builds to compare, by commas")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--reference-options", default="")
    parser.add_argument("--without-reference", action="store_true")
    end = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    arguments, options = parser.parse_args(sys.argv[1:end]), sys.argv[end + 1:]
    threads = options[options.index("--threads") + 1] if "--threads" in options else "2"
    environment = {**os.environ, "RAYON_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
    reference = [sys.executable, str(Path(__file__).with_name("step_reference.py")), *options]
    commands = {name: [name, *options] for name in arguments.step.split(",")}
    if not arguments.without_reference:
        commands["pytorch"] = [*reference, *shlex.split(arguments.reference_options)]

    rounds = {name: [] for name in commands}
    for _ in range(arguments.rounds):
        for name, command in commands.items():
            done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
            rounds[name].append(json.loads(done.stdout))

    def median(values):
        return statistics.median(values)

    print("| | " + " | ".join(PARTS) + " |")
    print("|---|" + "--:|" * len(PARTS))
    for name, lines in rounds.items():
        print(f"| {name} | " + " | ".join(f"{median([line[p] for line in lines]):.3f}" for p in PARTS) + " |")
    if "pytorch" in rounds:
        for name, lines in rounds.items():
            if name == "pytorch":
                continue
            pairs = list(zip(lines, rounds["pytorch"]))
            ratios = [median([ours[p] / max(theirs[p], 1e-9) for ours, theirs in pairs]) for p in PARTS]
            print(f"| {name} / pytorch | " + " | ".join(f"{ratio:.2f}" for ratio in ratios) + " |")


main()
