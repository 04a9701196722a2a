"""Kills `medclip score --output` at random moments, resumes it, and compares with a run that was left alone.

    cargo build --release -p medclip-cli
    python tests/reference/kill_and_resume.py target/release/medclip --count 10000 --kills 50

Inputs are phantoms as PNG, JPEG and DICOM, a third each, and 3 % of them are broken in four ways. A smaller run of a tenth of
them comes first: rate and peak memory should be those of the large one. Needs Pillow and pydicom.
"""

import argparse
import io
import json
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import pydicom
from PIL import Image

ROOT = pathlib.Path(__file__).parents[2]


def dicom(image, number):
    """A radiograph of twelve stored bits."""
    dataset = pydicom.Dataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    dataset.SOPInstanceUID = f"2.25.{1000 + number}"
    dataset.StudyInstanceUID = f"2.25.{2000 + number}"
    dataset.PatientID = f"phantom {number}"
    dataset.Modality, dataset.BodyPartExamined, dataset.ViewPosition = "DX", "CHEST", "PA"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Columns, dataset.Rows = image.size
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.WindowCenter, dataset.WindowWidth = 2048, 4096
    dataset.PixelData = b"".join((grey * 16).to_bytes(2, "little") for grey in image.tobytes())
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    file = io.BytesIO()
    pydicom.dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()


def make_inputs(program, directory, count, size, seed):
    """Distinct phantoms, as many as are needed to tell rows apart by their scores too; the rest are copies."""
    distinct = min(count, 500)
    drawn = directory / "drawn"
    subprocess.run([program, "phantom", "-o", drawn, "--count", str(distinct), "--size", str(size)], check=True)
    pool = []
    for index, path in enumerate(sorted((drawn / "images").iterdir())):
        if index % 3 == 0:
            pool.append((".png", path.read_bytes()))
        elif index % 3 == 1:
            jpeg = io.BytesIO()
            Image.open(path).save(jpeg, "JPEG", quality=92)
            pool.append((".jpg", jpeg.getvalue()))
        else:
            pool.append((".dcm", dicom(Image.open(path).convert("L"), index)))
    generator = random.Random(seed)
    broken = set(generator.sample(range(count), count * 3 // 100))
    films = directory / "films"
    for index in range(count):
        suffix, content = pool[index % len(pool)]
        if index in broken:
            kind = generator.randrange(4)
            cut = content[: generator.randrange(20, len(content) // 2)]
            content = [cut, b"", b"no image at all", content[:4] + bytes(64)][kind]
        path = films / f"{index // 1000:03}" / f"{index:06}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return films, len(broken)


def start(program, films, output, arguments):
    command = [program, "score", films, "--output", output, "--resume", *arguments]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


class Peak(threading.Thread):
    """Largest resident set of a process, in MiB, as Linux counts it."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.mib = process, 0.0
        self.start()

    def run(self):
        while self.process.poll() is None:
            try:
                lines = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
            except (FileNotFoundError, ProcessLookupError):
                return
            for line in lines:
                if line.startswith("VmHWM"):
                    self.mib = int(line.split()[1]) / 1024
            time.sleep(0.1)


def undisturbed(program, films, output, arguments, count):
    begun = time.monotonic()
    process = start(program, films, output, arguments)
    peak = Peak(process)
    status = process.wait()
    seconds = time.monotonic() - begun
    assert status == 1, f"status {status}: some inputs are broken, so it should be 1"
    print(f"| {count} inputs | {seconds:.1f} s | {count / seconds:.1f} per s | {peak.mib:.0f} MiB |", flush=True)
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shard-size", default="64")
    arguments = parser.parse_args()
    program = arguments.program.resolve()
    options = ["--shard-size", arguments.shard_size]
    work = pathlib.Path(tempfile.mkdtemp(prefix="kill-and-resume-"))
    try:
        count = arguments.count
        small, _ = make_inputs(program, work / "small", count // 10, arguments.size, arguments.seed)
        films, broken = make_inputs(program, work / "large", count, arguments.size, arguments.seed)
        undisturbed(program, small, work / "small.jsonl", options, count // 10)
        seconds = undisturbed(program, films, work / "whole.jsonl", options, count)

        generator = random.Random(arguments.seed + 1)
        output = work / "killed.jsonl"
        kills, finished, begun_again = 0, 0, []
        while kills < arguments.kills:
            process = start(program, films, output, options)
            # Most of a process's share of the run, so that the kills are spread over all of it; some at once.
            share = 1.5 * seconds / arguments.kills
            time.sleep(generator.uniform(0, share + 1) if kills % 5 else generator.uniform(0, 0.3))
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
            else:
                # All rows were there before the last kill: once more from the beginning, and compared as well.
                compare(output, work / "whole.jsonl", count, broken)
                output.unlink()
                shutil.rmtree(f"{output}.run")
                finished += 1
            process.wait()
            commits = pathlib.Path(f"{output}.run/_medclip/commits")
            begun_again.append(len(list(commits.glob("*.json"))) if commits.exists() else 0)
        status = start(program, films, output, options).wait()
        assert status == 1, f"status {status}"
        compare(output, work / "whole.jsonl", count, broken)
        print(f"{kills} kills, {finished} runs finished between them; files of rows there after each: {begun_again}")
        print(f"{count} rows, each once, {broken} of them errors, identical to the undisturbed run")
    finally:
        shutil.rmtree(work)


def compare(output, whole, count, broken):
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert len(rows) == count, f"{len(rows)} rows"
    assert len({row["path"] for row in rows}) == count, "a path twice"
    assert sum(row["error"] is not None for row in rows) == broken, "errors"
    assert output.read_bytes() == whole.read_bytes(), "not identical"


if __name__ == "__main__":
    main()
