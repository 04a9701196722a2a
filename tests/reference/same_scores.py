"""Whether two builds of medclip give the same scores, to the last digit: what changed, and what only one of them scores.

    cargo build --release -p medclip-cli && cp target/release/medclip /tmp/medclip-before
    # … the change …
    cargo build --release -p medclip-cli
    python tests/reference/same_scores.py /tmp/medclip-before target/release/medclip examples/images FILMS…

Both programs score the same inputs with the same model on the same machine. Exit status: 0 if every image that both score has the
same logits and intake checks, 1 otherwise. Images that one of them refuses are listed, and do not change the status.
"""

import argparse
import json
import subprocess
import sys


def scores(program, arguments, inputs):
    """`{path: record}` of the program's JSON lines."""
    command = [program, "score", "--format", "json", *arguments, *inputs]
    output = subprocess.run(command, capture_output=True, text=True, check=False)
    if output.returncode not in (0, 1):
        sys.exit(f"{' '.join(command[:4])} …: {output.stderr}")
    records = map(json.loads, output.stdout.splitlines())
    return {record["path"]: record for record in records}


def logits(record):
    return {finding["name"]: finding["logit"] for finding in record["findings"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("inputs", nargs="+")
    parser.add_argument("--option", action="append", default=[], help="passed to both programs, as --option=--engine=rten")
    arguments = parser.parse_args()
    before = scores(arguments.before, arguments.option, arguments.inputs)
    after = scores(arguments.after, arguments.option, arguments.inputs)

    same, changed = 0, []
    for path in before.keys() & after.keys():
        old, new = before[path], after[path]
        if old["error"] or new["error"]:
            continue
        if logits(old) == logits(new) and old["qc"] == new["qc"]:
            same += 1
        else:
            largest = max(abs(value - logits(new)[name]) for name, value in logits(old).items())
            changed.append(f"{path}: largest difference {largest:.3g}, checks {old['qc']} -> {new['qc']}")
    for title, one, other in (("only before", before, after), ("only after", after, before)):
        for path in sorted(path for path, record in one.items() if not record["error"]):
            if path not in other:
                print(f"{title}: {path}")
            elif other[path]["error"]:
                print(f"{title}: {path}: {other[path]['error']}")
    for line in sorted(changed):
        print(f"changed: {line}")
    print(f"{same} the same, {len(changed)} changed")
    return bool(changed)


if __name__ == "__main__":
    sys.exit(main())
