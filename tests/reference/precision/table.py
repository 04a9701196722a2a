"""What was measured as a Markdown table, with what the bundles' reports say."""

import json
import sys
from statistics import median

from .common import ENGINES, PEERS, PRECISIONS, TOWERS, side_of

# The defaults of `medclip quantize --gate`, and the fewest labels of a class that they apply to.
LIMITS = {"cosine": 0.999, "top1": 0.99, "auroc": 0.005}
MIN_LABELS = 10
# Engine, tower, and the share of fp32's time that its int8 is to take at most.
WANTED = [("ort-cpu", "swin", 0.5), ("ort-cpu", "resnet", 0.4), ("ort-cpu", "bert", 0.4), ("rten", "swin", 0.75)]


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
