"""What SPEC.md says in tables and in its example is what the code does and the vectors hold."""

from __future__ import annotations

import re
from pathlib import Path

from protocol import limits
from protocol.envelope import ENVELOPE_BYTES_MAX, read_envelope
from protocol.errors import REFUSALS
from protocol.identity import ALGORITHMS, PUBLIC_KEY_BYTES, SIGNATURE_BYTES
from protocol.receipt import decode_receipt
from protocol.record import commitment, entry
from tests.vectors.form import read

SPEC = (Path(__file__).parents[2] / "protocol" / "SPEC.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """Give the cells of the tables below a heading, without code marks and separators."""
    section = SPEC.partition(f"\n{heading}")[2].partition("\n#")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in line.split("|")[1:-1]] for line in lines]


def test_the_table_of_refusals_is_the_closed_list() -> None:
    """Codes, statuses, whether final, and the sentence of each, in their order."""
    assert rows("## 9. Refusal codes") == [
        [code, str(cls.status), "yes" if cls.final else "no", cls.__doc__ or ""]
        for code, cls in REFUSALS.items()
    ]


def test_the_table_of_limits_is_complete_and_right() -> None:
    """Every number of `limits` with its value, and no other."""
    found = {name: value for name, value, _ in rows("## 14. Limits")}
    assert found == {name: f"{value:,}" for name, value in vars(limits).items() if name.isupper()}


def test_the_tables_of_keys_are_the_code_s() -> None:
    """Purposes with their algorithms in order, and lengths in bytes."""
    table = rows("### 2.2 Key ids")
    purposes = {cells[0]: cells[1].replace("`", "") for cells in table if len(cells) == 3}
    assert purposes == {purpose: ", ".join(names) for purpose, names in ALGORITHMS.items()}
    lengths = {cells[0]: (cells[1], cells[2]) for cells in table if len(cells) == 4}
    assert lengths == {
        name: (f"{size:,}", f"{SIGNATURE_BYTES[name]:,}" if name in SIGNATURE_BYTES else "")
        for name, size in PUBLIC_KEY_BYTES.items()
    }


def test_numbers_in_the_prose_are_those_of_the_code() -> None:
    """Sizes that stand in sentences too."""
    for number in (limits.MESSAGE_TEXT_BYTES_MAX, ENVELOPE_BYTES_MAX):
        assert f"{number:,} " in SPEC


def test_the_example_is_what_the_vectors_hold() -> None:
    """A reader who follows the example finds the same bytes in the files that it names."""
    example = SPEC.partition("## A message and its receipt")[2].partition("## Conventions")[0]
    sealed, receipted = read("envelope/ok"), read("receipt/ok-example")
    envelope, receipt = read_envelope(sealed.body), decode_receipt(receipted.body)
    assert receipted.headers["envelope"] == envelope.digest
    assert entry(commitment(receipt.record, receipt.salt)).hex() in example
    assert f"{len(sealed.body):,} bytes" in example
    prefix = sealed.body[: 12 + len(envelope.header.encode())]
    assert f"header** of {len(prefix) - 12} bytes" in example
    encapsulated = sealed.body[len(prefix) : len(prefix) + 8]
    for raw in (sealed.body[:8], sealed.body[8:12], encapsulated):
        assert f"\n{raw.hex()}" in example
    shortened = re.findall(r"([0-9a-f]{8})…([0-9a-f]{6})", example)
    known = " ".join((*sealed.headers.values(), *receipted.headers.values()))
    digests = [envelope.digest, sealed.headers["identity"], envelope.header.key_id]
    for digest in digests:
        assert (digest[:8], digest[-6:]) in shortened
        assert digest in known or digest == envelope.header.key_id
    proof = receipt.proof.decode()
    head, _, lines = proof.partition("\n\u2014 ")
    assert head in example
    assert f"\u2014 {lines[:36]}" in example


def test_the_signed_request_is_one_of_the_vectors() -> None:
    """Digest and signature of the example are those of a committed request."""
    head = read("hop-request/ok-post").body.partition(b"\r\n\r\n")[0].decode()
    lines = dict(line.split(": ", 1) for line in head.split("\r\n"))
    for name in ("content-digest", "content-type", "signature"):
        assert f"\n{name}: {lines[name]}\n" in SPEC
