"""Seeds for the targets table_text and archive_members: small tables and archives of every kind."""

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

CORPUS = Path("corpus")

table = 'id,path,report,fold\r\n1,a.png,"Clear; lungs,\nno ""effusion"".",0\r\n2,b.png,,1\r\n,,,\r\n'
texts = {
    "comma": table.encode(),
    "semicolon": table.replace(",", ";").encode("utf-8-sig"),
    "said": ("sep=;\r\n" + table.replace(",", ";")).encode(),
    "tab": table.replace(",", "\t").replace("\r\n", "\r").encode(),
    "bar": table.replace(",", "|").replace("\r\n", "\n").encode(),
    "utf16": table.encode("utf-16"),
    "utf16be": table.encode("utf-16-be"),
    "gzip": gzip.compress(table.encode(), mtime=0),
    "open": b'path,report\na.png,"open\nb.png,x\n',
}
for name, text in texts.items():
    (CORPUS / "table_text" / name).write_bytes(text)


def zipped(method):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("d/", "")
        for name in ["d/1.png", "ü.png", "bare", "d/1.png"]:
            archive.writestr(name, name.encode() * 9)
    return out.getvalue()


def tarred(form, mode="w"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=form) as archive:
        def add(name, content=b"", kind=tarfile.REGTYPE, link="", headers=None):
            member = tarfile.TarInfo(name)
            member.size, member.type, member.linkname = len(content), kind, link
            member.pax_headers = headers or {}
            archive.addfile(member, io.BytesIO(content))
        add("d", kind=tarfile.DIRTYPE)
        add("d/1.png", b"one")
        add("long/" * 18 + "ü.png", b"two" * 300)
        add("hard.png", kind=tarfile.LNKTYPE, link="d/1.png")
        add("d/soft.png", kind=tarfile.SYMTYPE, link="1.png")
        if form == tarfile.PAX_FORMAT:
            sparse = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "s.png", "GNU.sparse.realsize": "90"}
            add("GNUSparseFile.0/s.png", b"1\n64\n5\n".ljust(512, b"\0") + b"12345", headers=sparse)
    return out.getvalue()


archives = {
    "stored.zip": zipped(zipfile.ZIP_STORED),
    "deflated.zip": zipped(zipfile.ZIP_DEFLATED),
    "ustar.tar": tarred(tarfile.USTAR_FORMAT),
    "gnu.tar": tarred(tarfile.GNU_FORMAT),
    "pax.tar": tarred(tarfile.PAX_FORMAT),
    "gnu.tar.gz": tarred(tarfile.GNU_FORMAT, "w:gz"),
    "pax.tar.gz": tarred(tarfile.PAX_FORMAT, "w:gz"),
}
for name, content in archives.items():
    (CORPUS / "archive_members" / name).write_bytes(content)
