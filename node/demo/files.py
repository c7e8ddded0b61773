"""The files of the demo's case: what two invented offices would offer as evidence.

Names in four scripts, folders in folders, and formats that offices really send. States,
people, banks and the currency XTS are invented. Nothing here is random: the same files give
the same manifest on every machine. Knows no message and no node.
"""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Final

from protocol.encoding import Json

REQUEST_KIND: Final = "INFORMAL_INQUIRY"  # what one person alone may send
STATEMENT: Final = "statements/account-4471.csv"
"""The file in which the demo later changes one byte."""

_INQUIRY: Final[dict[str, Json]] = {
    "channel": "CENTRAL_AUTHORITY_DIRECT",
    "transmission_effect": "ADVANCE",
    "urgency": "ROUTINE",
    "language": "en",
    "translation_status": "SOURCE_IS_ACCEPTED_LANGUAGE",
    "handling": {"disclosure": "TLP:AMBER", "use": ["U1"]},
    "requesting_authority": {
        "name": "Ministry of Justice of Qumran (fictional)",
        "official": "R. Imani",
        "function": "Central authority",
        "email": "mla@justice.qumran.example",
        "country": "QM",
    },
    "network": "ANTI_CORRUPTION",
    "domestic_purpose": "Public money for a school roof was paid to a company that built none.",
    "intended_use": ["U1"],
    "not_for_evidence": True,
}
REQUEST: Final[dict[str, Json]] = {
    **_INQUIRY,
    "own_ref": "QM-2026-0117",
    "title": "Bank records of account 4471, January to March",
    "questions": [
        "Which statements of account 4471 are there?",
        "Who opened it, with what papers?",
    ],
}
ANSWER: Final[dict[str, Json]] = {
    "own_ref": "QN-88/2026",
    "text": "The bank has produced the statements and the opening file.",
}
NOTICE: Final[dict[str, Json]] = {
    **_INQUIRY,
    "own_ref": "QM-2026-0118",
    "title": "Who stands behind Tamarind Roofing Ltd",
    "questions": ["Which beneficial owners are on file?", "Which reports name the company?"],
}

NOTE: Final = "The original of the certificate follows by courier.\n"

_ROWS: Final = (
    ("2026-01-09", "transfer in", "Ministry of Works, school roof 1/2", "48200.00", "48213.55"),
    ("2026-01-12", "cash", "Branch 3", "-20000.00", "28213.55"),
    ("2026-02-20", "transfer in", "Ministry of Works, school roof 2/2", "48200.00", "76413.55"),
    ("2026-02-23", "transfer out", "Sunda Motors", "-31990.00", "44423.55"),
    ("2026-03-02", "transfer out", "Tamarind Roofing Ltd", "-44000.00", "423.55"),
)
_ORDER: Final = """\
TRIBUNAL DE PREMIÈRE INSTANCE — Cabinet du juge d'instruction nº 2
Réf. QM-2026-0117

Ordonnance : il y a lieu de demander les relevés du compte 4471, de janvier à mars 2026,
ainsi que le dossier d'ouverture. Fait le 14 avril 2026.
"""
_WITNESS: Final = """\
محضر سماع شاهد
قال الشاهد إن سقف المدرسة لم يُبنَ، وإن الشركة لم ترسل عمالًا إلى الموقع.
"""
_CHAT: Final[Json] = [
    {"at": "2026-01-11T18:02:11Z", "from": "A", "text": "first half is in"},
    {"at": "2026-01-11T18:02:40Z", "from": "B", "text": "take it out in cash, branch 3"},
]


def write_request_files(folder: Path) -> None:
    """Write what the requesting authority offers with its request."""
    _write(folder / "Ordonnance du juge nº 2.txt", _ORDER.encode())
    _write(folder / "محضر/شاهد-1.txt", _WITNESS.encode())
    _write(folder / "contract/school-roof.pdf", _pdf("Contract 31/2025: school roof"))
    _write(folder / "photos/roof-2026-04-02.png", _png(96, 64))
    _write(folder / "phone/chat.json", json.dumps(_CHAT, indent=1).encode())
    _write(folder / "payments.csv", _csv(_ROWS[0:3:2]))


def write_answer_files(folder: Path) -> None:
    """Write what the requested authority offers with its answer."""
    _write(folder / STATEMENT, _csv(_ROWS))
    _write(folder / "opening/Заявление.pdf", _pdf("Application to open account 4471"))
    _write(folder / "opening/passport-page.png", _png(120, 84))
    _write(folder / "bank-certificate.txt", b"Certified true extract. Bank of Sunda, branch 3.\n")


def write_body(path: Path, body: Json) -> None:
    """Write the body of a message for `--body`."""
    _write(path, (json.dumps(body, indent=1, ensure_ascii=False) + "\n").encode())


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _csv(rows: tuple[tuple[str, ...], ...]) -> bytes:
    lines = ["date,kind,with,amount XTS,balance XTS", *(",".join(row) for row in rows)]
    return ("\r\n".join(lines) + "\r\n").encode()


def _pdf(title: str) -> bytes:
    """Make a PDF of one empty page with a title that its cross-reference table is right for."""
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
        f"<< /Title ({title}) >>",
    )
    text, places = "%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(text))
        text += f"{number} 0 obj\n{one}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    count = len(objects) + 1
    text += (
        f"xref\n0 {count}\n0000000000 65535 f \n{table}"
        f"trailer\n<< /Size {count} /Root 1 0 R /Info 4 0 R >>\nstartxref\n"
        f"{len(text)}\n%%EOF\n"
    )
    return text.encode("ascii")


def _png(width: int, height: int) -> bytes:
    """Make a grey picture that any viewer shows: a slope from dark to light."""
    rows = b"".join(b"\0" + bytes((x + y) % 256 for x in range(width)) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in chunks)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
