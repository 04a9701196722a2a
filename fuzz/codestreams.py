"""Seeds for the targets of codestreams: the frames of decode's golden files, and headers that ask for much.

Run by `seed`, in this directory.
"""

import pathlib
import struct

GOLDEN = pathlib.Path("../crates/decode/tests/golden")
CORPUS = pathlib.Path("corpus")
ITEM = b"\xfe\xff\x00\xe0"


def frame(name):
    """The last fragment of a golden file, which ends with a delimiter of eight bytes."""
    data = (GOLDEN / f"{name}.dcm").read_bytes()
    start = data.rindex(ITEM)
    return data[start + 8 : -8]


def put(target, name, data):
    (CORPUS / target).mkdir(parents=True, exist_ok=True)
    (CORPUS / target / name).write_bytes(data)


def segment(code, body):
    return struct.pack(">HH", code, len(body) + 2) + body


def codestream(side, tile, style, precincts, layers=1, levels=2, block=(4, 4), flags=0, order=0):
    """A codestream of empty packets, one in each tile."""
    size = struct.pack(">HIIIIIIIIH", 0x4000 if flags & 0x40 else 0, side, side, 0, 0, tile, tile, 0, 0, 1)
    stream = b"\xff\x4f" + segment(0xFF51, size + bytes([11, 1, 1]))
    if flags & 0x40:
        stream += segment(0xFF50, struct.pack(">IH", 0x20000, 0))
    coding = bytes([style | (1 if precincts else 0), order]) + struct.pack(">HB", layers, 0)
    stream += segment(0xFF52, coding + bytes([levels, *block, flags, 1]) + bytes(precincts))
    stream += segment(0xFF5C, bytes([0x40]) + bytes([12 << 3]) * (1 + 3 * levels))
    for index in range((-(-side // tile)) ** 2):
        stream += struct.pack(">HHHIBB", 0xFF90, 10, index, 15, 0, 1) + b"\xff\x93\x00"
    return stream + b"\xff\xd9"


def stated(passes, flags):
    """A codestream of a code block that states so many passes, with a byte of data for each termination."""
    ends = passes if flags & 4 else 1
    # In a packet, in the first layer, all bit-planes, the passes (table B.4), the lengths.
    bits = "111" + "1" * 9 + f"{passes - 37:07b}" + "0"
    bits += ("001" if flags & 4 else "1".zfill(3 + passes.bit_length() - 1)) * ends
    header = bytearray()
    while bits:
        count = 7 if header and header[-1] == 0xFF else 8
        header.append(int(bits[:count].ljust(count, "0"), 2))
        bits = bits[count:]
    stream = codestream(64, 64, 0, [], levels=0, flags=flags)
    stream = stream.replace(segment(0xFF5C, bytes([0x40, 12 << 3])), segment(0xFF5C, bytes([0x40, 31 << 3])))
    start = stream.index(b"\xff\x90")
    data = bytes(header) + b"\x80" * ends
    part = struct.pack(">HHHIBB", 0xFF90, 10, 0, 14 + len(data), 0, 1) + b"\xff\x93" + data
    return stream[:start] + part + b"\xff\xd9"


for target, flags in (("jpeg2000", 0), ("htj2k", 0x40)):
    put(target, "golden", frame(target))
    put(target, "plain", codestream(64, 64, 0, [], flags=flags))
    put(target, "tiles", codestream(64, 16, 0, [], flags=flags))
    put(target, "precincts", codestream(64, 64, 0, [0x33, 0x44, 0x55], order=2, flags=flags))
    put(target, "layers", codestream(64, 64, 6, [], layers=8, block=(0, 0), flags=flags))
put("jpeg2000", "lossy", frame("jpeg2000_lossy"))
for flags in (0, 4, 0x2F):
    put("jpeg2000", f"passes-{flags}", stated(94, flags))
for path in sorted(GOLDEN.glob("*.j2k")):
    put("jpeg2000", path.stem, path.read_bytes())
    put("htj2k", path.stem, path.read_bytes())
put("jpegxl", "golden", struct.pack("<HHB", 37, 23, 0) + frame("jpegxl"))
for target in ("jpeg2000", "htj2k", "jpegxl"):
    print(len(list((CORPUS / target).iterdir())), "codestreams for", target)
