"""Odd DICOM files, and what others make of them, for tests/odd.rs: `python odd.py OUT [DICOM_RS]`.

Needs pydicom, numpy, pylibjpeg and pillow, and DCMTK's dcm2pnm on the path. Writes OUT/NAME.dcm and, where the film is to be
shown, OUT/NAME.grey with the levels that are right, and prints odd.tsv:

    name  right or refused  pydicom  DCMTK  dicom-rs  why they differ

An outcome is `right` (no level differs by more than one), `other` (decoded with other levels), `decoded` (what medclip
refuses) or `fails`. pydicom is asked as in dicom.py; dcm2pnm for the first window (+Wi 1) or VOI LUT (+Wl 1), and where it has
none for the whole range (+Wm). DICOM_RS is a program that writes OUT/NAME.dp, the eight-bit levels that dicom-pixeldata's
default options give, for every file that it is given; without it the column has the table's word for it.
"""

import logging
import pathlib
import struct
import subprocess
import sys
import warnings
import zlib

import numpy as np

SIDE = 64
EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
BIG_ENDIAN, DEFLATED = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
LONG = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
ITEM = b"\xfe\xff\x00\xe0"
ITEM_END = b"\xfe\xff\x0d\xe0\0\0\0\0"
SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"
UNDEFINED = b"\xff" * 4
# Tags: a sequence of the request, a private element, and what the picture needs.
STEPS, PRIVATE = 0x00400275, 0x00091010
CENTER, WIDTH, FUNCTION = 0x00281050, 0x00281051, 0x00281056
VOI, MODALITY, SHARED, PER_FRAME, PIXELS = 0x00283010, 0x00283000, 0x52009229, 0x52009230, 0x7FE00010


def film():
    """A ramp with squares, 12 bits."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    values = x * 40 + y * 20 + ((x // 8 + y // 8) % 2) * 200 + 100
    values[20:40, 10:30] += 600
    return np.clip(values, 0, 4095).astype(np.uint16)


FILM = film()


def levels(spread):
    return np.round(np.clip(spread, 0, 1) * 255).astype(np.uint8)


def window(values, center, width):
    return levels((values.astype(float) - (center - 0.5)) / (width - 1) + 0.5)


WINDOWED = window(FILM, 2048, 4096)
SPREAD = levels((FILM - float(FILM.min())) / (FILM.max() - float(FILM.min())))


def words(*numbers, big=False):
    return b"".join(struct.pack(">H" if big else "<H", number & 0xFFFF) for number in numbers)


def element(tag, vr, value, explicit=True, big=False):
    order = ">" if big else "<"
    if len(value) % 2 and vr != b"OW":
        value += b"\0" if vr in (b"UI", b"OB", b"UN") else b" "
    header = struct.pack(order + "HH", tag >> 16, tag & 0xFFFF)
    if not explicit:
        return header + struct.pack(order + "I", len(value)) + value
    if vr in LONG:
        return header + vr + b"\0\0" + struct.pack(order + "I", len(value)) + value
    return header + vr + struct.pack(order + "H", len(value)) + value


def item(content, delimited=False):
    if delimited:
        return ITEM + UNDEFINED + content + ITEM_END
    return ITEM + struct.pack("<I", len(content)) + content


def sequence(tag, content, vr=b"SQ", length=None):
    """Of a stated length, that of the content if none is given."""
    length = len(content) if length is None else length
    return struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr + b"\0\0" + struct.pack("<I", length) + content


def open_sequence(tag, content, vr=b"SQ", end=SEQUENCE_END):
    return struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr + b"\0\0" + UNDEFINED + content + end


def odd(tag, header, value):
    return struct.pack("<HH", tag >> 16, tag & 0xFFFF) + header + value


ATTRIBUTES = {
    0x00080005: (b"CS", b"ISO_IR 100"), 0x00080016: (b"UI", b"1.2.840.10008.5.1.4.1.1.1.1"), 0x00080018: (b"UI", b"1.2.3.4.5"),
    0x00080060: (b"CS", b"DX"), 0x00100010: (b"PN", b"DOE^JANE"), 0x00100020: (b"LO", b"ID-0001"), 0x00185101: (b"CS", b"PA"),
    0x00280002: (b"US", 1), 0x00280004: (b"CS", b"MONOCHROME2"), 0x00280010: (b"US", SIDE), 0x00280011: (b"US", SIDE),
    0x00280100: (b"US", 16), 0x00280101: (b"US", 12), 0x00280102: (b"US", 11), 0x00280103: (b"US", 0),
    CENTER: (b"DS", b"2048"), WIDTH: (b"DS", b"4096"), PIXELS: (b"OW", FILM),
}


def data_set(changes=None, without=(), raw=None, explicit=True, big=False):
    attributes = {**ATTRIBUTES, **(changes or {})}
    parts = {}
    for tag, (vr, value) in attributes.items():
        if tag in without:
            continue
        if isinstance(value, int):
            value = words(value, big=big)
        if isinstance(value, np.ndarray):
            value = value.astype(">u2" if big else "<u2").tobytes() if value.dtype == np.uint16 else value.tobytes()
        parts[tag] = element(tag, vr, value, explicit, big)
    for tag, whole in (raw or {}).items():
        parts[tag] = whole + parts.get(tag, b"")
    return b"".join(parts[tag] for tag in sorted(parts))


def file(body, syntax=EXPLICIT):
    meta = element(0x00020001, b"OB", b"\0\1") + element(0x00020002, b"UI", b"1.2.840.10008.5.1.4.1.1.1.1")
    meta += element(0x00020003, b"UI", b"1.2.3.4.5")
    meta += element(0x00020010, b"UI", syntax.encode()) if syntax else b""
    return bytes(128) + b"DICM" + element(0x00020000, b"UL", struct.pack("<I", len(meta))) + meta + body


class Cases:
    """Files by name, each with the levels that are right, or none where it is refused, and why others differ."""

    def __init__(self):
        self.files = {}

    def add(self, name, contents, right, why):
        assert name not in self.files, name
        self.files[name] = (contents, right, why)

    def change(self, name, right, why, changes=None, without=(), raw=None):
        self.add(name, file(data_set(changes, without, raw)), right, why)


def windows(cases):
    unusable = "no usable window: values are spread from lowest to highest; others fail or show the range of the stored bits"
    usable = "the first usable window, whatever is beside it; pydicom takes the first, usable or not, and DCMTK takes NaN for a number"
    for name, center, width, right, why in [
        ("trailing_backslash", b"2048\\", b"4096\\", WINDOWED, usable), ("leading_empty", b"\\2048", b"\\4096", WINDOWED, usable),
        ("more_widths", b"2048", b"4096\\100", WINDOWED, usable), ("more_centers", b"2048\\5", b"4096", WINDOWED, usable),
        ("first_zero", b"5\\2048", b"0\\4096", WINDOWED, usable), ("first_nan", b"NaN\\2048", b"NaN\\4096", WINDOWED, usable),
        ("comma", b"2048,0", b"4096,0", WINDOWED, "a decimal comma is read as a point, with a note"),
        ("comma_half", b"2047,50\\3", b"4096,00\\4", window(FILM, 2047.5, 4096), "a decimal comma is read as a point, with a note"),
        ("nul_padding", b"2048\0\0", b"4096\0\0", WINDOWED, usable), ("exponent", b"2.048E+03", b"4.096e3", WINDOWED, usable),
        ("negative_width", b"2048", b"-4096", SPREAD, unusable), ("zero_width", b"2048", b"0", SPREAD, unusable),
        ("half_width", b"2048", b"0.5", SPREAD, unusable), ("nan", b"2048", b"NaN", SPREAD, unusable),
        ("infinite", b"2048", b"inf", SPREAD, unusable), ("empty_width", b"2048", b"", SPREAD, unusable),
        ("empty_center", b"", b"4096", SPREAD, unusable), ("text", b"auto", b"auto", SPREAD, unusable),
        ("only_backslash", b"\\", b"\\", SPREAD, unusable), ("unit", b"2048 HU", b"4096 HU", SPREAD, unusable),
        ("thousands", b"2,048", b"4,096", SPREAD, "2,048 may be two or two thousand: no usable window"),
    ]:
        cases.change("window_" + name, right, why, {CENTER: (b"DS", center), WIDTH: (b"DS", width)})
    cases.change("window_no_width", SPREAD, unusable, without=[WIDTH])
    cases.change("window_no_center", SPREAD, unusable, without=[CENTER])
    cases.change("window_binary", WINDOWED, usable, {CENTER: (b"FD", struct.pack("<d", 2048)), WIDTH: (b"US", words(4096))})
    spelling = "names go by their letters, in any case, and an unknown function is linear, with a note; pydicom fails on those, DCMTK and dicom-rs draw no sigmoid here"
    exact = levels((FILM - 2048.0) / 4096 + 0.5)
    sigmoid = np.round(255 / (1 + np.exp(-4 * (FILM - 2048.0) / 4096))).astype(np.uint8)
    for name, text, right in [("lower", b"linear", WINDOWED), ("mixed", b"Linear_Exact", exact), ("unknown", b"CUBIC", WINDOWED),
                              ("sigmoid_lower", b"sigmoid", sigmoid), ("blank", b"  ", WINDOWED)]:
        cases.change("function_" + name, right, spelling, {FUNCTION: (b"CS", text)})
    for name, tag, function in [("window", PER_FRAME, b"1000"), ("window_trailing", SHARED, b"1000\\")]:
        group = sequence(0x00289132, item(element(CENTER, b"DS", function) + element(WIDTH, b"DS", function.replace(b"1", b"2"))))
        cases.change("group_" + name, window(FILM, 1000, 2000), "the window of the frame's functional group, which the others do not look for here",
                     raw={tag: sequence(tag, item(group))})


def attributes(cases):
    ignored = "not needed for the picture: left out, with a note"
    assumed = "one possible value, or the only frame: assumed with a note"
    for name, tag, vr, value, why in [
        ("spacing_text", 0x00280030, b"DS", b"N/A", ignored), ("spacing_zero", 0x00280030, b"DS", b"0\\0", ignored),
        ("spacing_one", 0x00280030, b"DS", b"0.143", ignored), ("spacing_comma", 0x00280030, b"DS", b"0,143\\0,143", ignored),
        ("spacing_ratio", 0x00280030, b"DS", b"100\\0.1", ignored), ("detector_spacing_text", 0x00181164, b"DS", b"unknown", ignored),
        ("aspect_text", 0x00280034, b"IS", b"1:1", ignored), ("aspect_zero", 0x00280034, b"IS", b"0\\0", ignored),
        ("aspect_ratio", 0x00280034, b"IS", b"9999\\1", ignored), ("shape_lin_od", 0x20500020, b"CS", b"LIN OD", ignored),
        ("shape_other", 0x20500020, b"CS", b"SQUARE", ignored), ("planar_two", 0x00280006, b"US", words(2), ignored),
        ("frames_zero", 0x00280008, b"IS", b"0", assumed), ("frames_text", 0x00280008, b"IS", b"one", assumed),
        ("frames_negative", 0x00280008, b"IS", b"-1", assumed), ("frames_decimal", 0x00280008, b"IS", b"1.0", assumed),
        ("frames_blank", 0x00280008, b"IS", b"  ", assumed), ("frames_too_many", 0x00280008, b"IS", b"2", "the frame that is shown is there"),
        ("high_bit_31", 0x00280102, b"US", words(31), assumed), ("high_bit_0", 0x00280102, b"US", words(0), assumed),
        ("color_model_lower", 0x00280004, b"CS", b"monochrome2", "names go by their letters, in any case"),
        ("color_model_space", 0x00280004, b"CS", b" MONOCHROME 2 ", "names go by their letters, in any case"),
        ("rows_text", 0x00280010, b"IS", b"64", "numbers go by their representation"),
        ("rows_wide", 0x00280010, b"UL", struct.pack("<I", 64), "numbers go by their representation"),
        ("slope_empty", 0x00281053, b"DS", b"", "nothing to apply"), ("slope_comma", 0x00281053, b"DS", b"1,0", "a decimal comma"),
        ("slope_twice", 0x00281053, b"DS", b"1\\1", "the first of two"),
        ("pixels_unknown", PIXELS, b"UN", FILM, "samples go by BitsAllocated"), ("pixels_bytes", PIXELS, b"OB", FILM, "samples go by BitsAllocated"),
    ]:
        cases.change(name, WINDOWED, why, {tag: (vr, value)})
    cases.change("shape_inverse_lower", 255 - WINDOWED, "presentation LUT shapes are applied; pydicom, DCMTK and dicom-rs do not here",
                 {0x20500020: (b"CS", b"inverse")})
    for name, tag in [("no_samples", 0x00280002), ("no_high_bit", 0x00280102), ("no_representation", 0x00280103)]:
        cases.change(name, WINDOWED, assumed, without=[tag])
    needed = "every value depends on it: nothing is assumed"
    for name, value in [("text", b"abc"), ("zero", b"0"), ("nan", b"NaN")]:
        cases.change("slope_" + name, None, needed, {0x00281052: (b"DS", b"0"), 0x00281053: (b"DS", value)})
    cases.change("intercept_text", None, needed, {0x00281052: (b"DS", b"none")})
    for name, tag in [("no_rows", 0x00280010), ("no_color_model", 0x00280004), ("no_allocated", 0x00280100)]:
        cases.change(name, None, needed, without=[tag])
    cases.change("pixels_cut", None, "a damaged film is never shown", {PIXELS: (b"OW", FILM.ravel()[:-50].copy())})


def structure(cases):
    step = element(0x00400007, b"LO", b"Chest PA") + element(0x00400009, b"SH", b"1")
    implicit = element(0x00400007, b"LO", b"Chest PA", False) + element(0x00400009, b"SH", b"1", False)
    whole = item(step)
    stepped = "stepped over: no picture needs it"
    nested = item(element(0x00400007, b"LO", b"x") + open_sequence(STEPS, item(step, True), b"UN"), True)
    private = lambda vr, length: odd(PRIVATE, vr + length, b"secret")
    short, long = struct.pack("<H", 6), b"\0\0" + struct.pack("<I", 6)
    for name, tag, raw in [
        ("un_explicit", STEPS, open_sequence(STEPS, item(step, True), b"UN")), ("un_explicit_item", STEPS, open_sequence(STEPS, whole, b"UN")),
        ("un_implicit", STEPS, open_sequence(STEPS, item(implicit, True), b"UN")), ("un_nested", STEPS, open_sequence(STEPS, nested, b"UN")),
        ("un_no_items", PRIVATE, open_sequence(PRIVATE, b"bytes that have no structure at all", b"UN")),
        ("private_bytes", PRIVATE, open_sequence(PRIVATE, item(b"") + item(b"\1\2\3\4" * 5), b"OB")),
        ("private_words", PRIVATE, open_sequence(PRIVATE, item(b"\x28\0\x10\0" * 20), b"OW")),
        ("private_jpeg", PRIVATE, open_sequence(PRIVATE, item(b"") + item(b"\xff\xd8\xff\xe0" + b"junk" * 9), b"OB")),
        ("delimiter_after_length", STEPS, sequence(STEPS, whole) + SEQUENCE_END), ("item_end_after_length", STEPS, sequence(STEPS, whole) + ITEM_END),
        ("two_item_ends", STEPS, open_sequence(STEPS, item(step, True) + ITEM_END)), ("two_delimiters", STEPS, open_sequence(STEPS, whole) + SEQUENCE_END),
        ("no_item_end", STEPS, open_sequence(STEPS, ITEM + UNDEFINED + step)), ("no_delimiter", STEPS, open_sequence(STEPS, item(step, True), end=b"")),
        ("empty_item", STEPS, open_sequence(STEPS, item(b""))), ("empty_open_item", STEPS, open_sequence(STEPS, item(b"", True))),
        ("length_short", STEPS, sequence(STEPS, whole, length=len(whole) - 6)), ("length_long", STEPS, sequence(STEPS, whole, length=len(whole) + 6)),
        ("length_beyond_file", STEPS, sequence(STEPS, whole, length=10**8)), ("item_overruns", STEPS, sequence(STEPS, ITEM + struct.pack("<I", 500) + step)),
        ("garbage", STEPS, sequence(STEPS, b"garbage that is no item")), ("garbage_delimited", STEPS, open_sequence(STEPS, b"garbage that is no item.")),
        ("implicit_items", STEPS, open_sequence(STEPS, item(implicit, True))),
        ("vr_dashes", PRIVATE, private(b"--", short)), ("vr_question_marks", PRIVATE, private(b"??", short)), ("vr_zeros", PRIVATE, private(b"\0\0", short)),
        ("vr_lower", PRIVATE, private(b"lo", short)), ("vr_unknown_short", PRIVATE, private(b"ZZ", short)), ("vr_unknown_long", PRIVATE, private(b"ZZ", long)),
        ("vr_none", PRIVATE, odd(PRIVATE, struct.pack("<I", 6), b"secret")), ("vr_un_short", PRIVATE, private(b"UN", short)),
        ("vr_ut_short", PRIVATE, private(b"UT", short)), ("odd_length", PRIVATE, odd(PRIVATE, b"LO" + struct.pack("<H", 5), b"secre")),
        ("odd_length_padded", PRIVATE, odd(PRIVATE, b"LO" + struct.pack("<H", 5), b"secre ")),
        ("group_length", 0x00090000, odd(0x00090000, b"UL\x04\0", struct.pack("<I", 999999))),
    ]:
        cases.change(name, WINDOWED, stepped, raw={tag: raw})
    explicit, plain, turned = data_set(), data_set(explicit=False), data_set(big=True)
    detected = "read as it is encoded, with a note"
    for name, body, syntax in [
        ("implicit_holds_explicit", explicit, IMPLICIT), ("explicit_holds_implicit", plain, EXPLICIT), ("big_holds_little", explicit, BIG_ENDIAN),
        ("little_holds_big", turned, EXPLICIT), ("deflated_holds_plain", explicit, DEFLATED), ("deflated_zlib", zlib.compress(explicit), DEFLATED),
        ("no_syntax", explicit, None),
    ]:
        cases.add(name, file(body, syntax), WINDOWED, detected)
    cases.add("trailing_garbage", file(explicit + b"garbage" * 99), WINDOWED, "what follows the pixels does not matter")
    pixels = element(PIXELS, b"OW", FILM.tobytes())
    cases.add("pixels_first", file(pixels + explicit[: -len(pixels)]), WINDOWED, "elements may be in any order")
    cases.change("window_twice", WINDOWED, "the first of two elements counts, as in DCMTK; the last in pydicom", raw={CENTER: element(CENTER, b"DS", b"2048")},
                 changes={CENTER: (b"DS", b"100")})


def tables(cases):
    steps = np.arange(4096)
    curve = lambda top: np.round(top * (steps / 4095) ** 1.5).astype(int)
    shown = lambda top: np.round(curve(top)[FILM] / top * 255).astype(np.uint8)

    def table(entries, bits, count=None, data=None):
        count = len(entries) if count is None else count
        data = entries.astype("<u2").tobytes() if data is None else data
        return element(0x00283002, b"US", words(count, 0, bits)) + element(0x00283006, b"OW", data)

    used = "scaled by the bits that entries use, with a note; pydicom and DCMTK go by the descriptor, dicom-rs has no VOI LUTs here"
    alone = [CENTER, WIDTH]
    for top, bits in [(4095, 16), (1023, 16), (255, 16), (4095, 12), (65535, 16), (4095, 8), (4095, 0)]:
        cases.change(f"voi_{bits}_holds_{top.bit_length()}", shown(top), used, without=alone, raw={VOI: sequence(VOI, item(table(curve(top), bits)))})
    packed = curve(255).astype(np.uint8)
    for bits in (8, 16):
        cases.change(f"voi_{bits}_in_bytes", packed[FILM], "entries in bytes, which pydicom does not unpack", without=alone,
                     raw={VOI: sequence(VOI, item(table(packed, bits, data=packed.tobytes())))})
    cases.change("voi_monochrome1", 255 - shown(4095), used, {0x00280004: (b"CS", b"MONOCHROME1")}, alone, {VOI: sequence(VOI, item(table(curve(4095), 16)))})
    short = sequence(VOI, item(table(curve(4095)[:100], 12, 4096)))
    cases.change("voi_short_beside_window", WINDOWED, "the usable window in place of a table that is not, with a note", raw={VOI: short})
    cases.change("voi_short", None, "the frame needs entries that are missing", without=alone, raw={VOI: short})
    cases.change("voi_short_end", shown(4095), "the frame needs none of the missing entries", without=alone,
                 raw={VOI: sequence(VOI, item(table(curve(4095)[: int(FILM.max()) + 1], 12, 4096)))})
    cases.change("voi_empty_item", SPREAD, "an empty item is no table, and without a window values are spread", without=alone, raw={VOI: sequence(VOI, item(b""))})
    linear = table(steps, 16) + element(0x00283004, b"LO", b"US")
    cases.change("modality_16_holds_12", WINDOWED, "values are what the entries say", raw={MODALITY: sequence(MODALITY, item(linear))})
    index = (FILM >> 4).astype(np.uint8)
    for bits, scale in [(16, 257), (16, 16), (16, 1), (8, 257), (8, 1), (12, 16)]:
        changes = {0x00280004: (b"CS", b"PALETTE COLOR"), PIXELS: (b"OW", index)}
        changes |= {tag: (b"US", number) for tag, number in [(0x00280100, 8), (0x00280101, 8), (0x00280102, 7)]}
        for channel in range(3):
            changes[0x00281101 + channel] = (b"US", words(256, 0, bits))
            changes[0x00281201 + channel] = (b"OW", (np.arange(256) * scale).astype(np.uint16))
        cases.change(f"palette_{bits}_holds_{(255 * scale).bit_length()}", index, used, changes, alone)


def compare(levels_of, right):
    if levels_of is None:
        return "fails"
    if right is None:
        return "decoded"
    levels_of = np.asarray(levels_of).ravel()
    if levels_of.size != right.size:
        return "other"
    return "right" if np.abs(levels_of.astype(int) - right.ravel()).max() <= 1 else "other"


def by_pydicom(path):
    import dicom
    import pydicom

    try:
        return dicom.decode(path, pydicom.dcmread(path, force=True), 0)[1]
    except Exception:
        return None


def by_dcmtk(path, name):
    from PIL import Image

    target = path.with_suffix(".pgm")
    asked = ["+Wl", "1"] if name.startswith("voi_") else ["+Wi", "1"]
    for option in (asked, ["+Wm"]):
        if subprocess.run(["dcm2pnm", "--write-raw-pnm", *option, path, target], capture_output=True).returncode == 0:
            grey = np.asarray(Image.open(target).convert("L"))
            target.unlink()
            return grey
    return None


def ask(dicom_rs, path):
    """Some of the files make it allocate gigabytes."""
    limited = f"ulimit -v 2000000; exec timeout 20 '{dicom_rs}' '{path}'"
    subprocess.run(["bash", "-c", limited], env={"OUT": str(path.parent), "PATH": "/usr/bin:/bin"}, capture_output=True)


def by_dicom_rs(path):
    grey = path.with_name(path.name + ".dp")
    return np.fromfile(grey, np.uint8) if grey.exists() else None


def main(out, dicom_rs=None):
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    cases = Cases()
    for fill in (windows, attributes, structure, tables):
        fill(cases)
    for name, (contents, right, _) in cases.files.items():
        (out / f"{name}.dcm").write_bytes(contents)
        if right is not None:
            right.tofile(out / f"{name}.grey")
    if dicom_rs:
        for name in cases.files:
            ask(dicom_rs, out / f"{name}.dcm")
    table = pathlib.Path(__file__).with_name("odd.tsv")
    before = dict((line.split("\t")[0], line.split("\t")) for line in table.read_text().splitlines()) if table.exists() else {}
    for name, (_, right, why) in cases.files.items():
        path = out / f"{name}.dcm"
        others = [compare(by_pydicom(path), right), compare(by_dcmtk(path, name), right)]
        others.append(compare(by_dicom_rs(path), right) if dicom_rs else before.get(name, [""] * 5)[4])
        ours = "refused" if right is None else "right"
        agree = {"fails"} if right is None else {"right"}
        print(name, ours, *others, "" if set(others) <= agree else why, sep="\t")


if __name__ == "__main__":
    main(*sys.argv[1:])
