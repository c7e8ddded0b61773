"""The page in use: fingerprints, evidence, hostile texts, the keyboard, a narrow screen."""

from __future__ import annotations

import base64
import hashlib

import pytest
from playwright.sync_api import expect

from tests.browser.bundles import evidence_of
from tests.browser.verifier import DONE, Verifier
from tests.support.bundles import FIJI, QUMRAN, TONGA, Story, told
from tests.support.trust import Trust, make_trust

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

LEDGER = b"date,amount\n2025-03-01,100\n"
DROP = """([name, text]) => {
    const transfer = new DataTransfer();
    const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
    transfer.items.add(new File([bytes], name));
    document.getElementById("drop").dispatchEvent(
        new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


@pytest.fixture(scope="module")
def trust() -> Trust:
    """Three authorities, each of which witnesses the others."""
    return make_trust((FIJI, QUMRAN, TONGA))


@pytest.fixture(scope="module")
def case(trust: Trust) -> bytes:
    """Give a bundle with evidence, and texts that want to be more than texts."""
    story = Story(trust)
    evidence, manifest = evidence_of({"bank/ledger.csv": LEDGER})
    hostile = {
        "evidence": evidence,
        "subject": "<img src=x onerror=alert(1)><script>alert(2)</script>",
        "turned": "abc \u202e cba",
        "rtl": "\u0645\u0631\u062d\u0628\u0627 123",
    }
    story.accept(story.send(FIJI, "transmit", hostile))
    story.accept(story.send(QUMRAN, "answer", {"x" * 300: "y" * 5_000}))
    story.parts["manifests"].append(manifest)
    story.cosign(FIJI)
    story.cosign(QUMRAN)
    return story.bundle().encode()


def test_a_trusted_fingerprint_is_compared(verifier: Verifier, trust: Trust, case: bytes) -> None:
    """Its own digits or hex digits verify; others leave all undecided; no digits are refused."""
    assert verifier.judge({"case.comity": case})["case.comity"].conclusion == "true"
    digits = verifier.page.locator(".digits").text_content()
    assert digits is not None
    for typed, conclusion in (
        (digits, "true"),
        (trust.document.digest, "true"),
        ("12345 " * 12, "undecided"),
    ):
        verifier.trust(typed)
        found = verifier.judge({"case.comity": case})
        assert found["case.comity"].conclusion == conclusion
    verifier.trust("123")
    verifier.page.keyboard.press("Tab")
    expect(verifier.page.get_by_role("alert")).to_contain_text("60 digits")
    assert verifier.shown() == {}


def test_texts_stay_texts(verifier: Verifier, case: bytes) -> None:
    """Markup is shown as it was written, and a sign that turns the text is replaced."""
    shown = verifier.judge({"<b>case<b>.comity": case})["<b>case<b>.comity"]
    assert "<img src=x onerror=alert(1)><script>alert(2)</script>" in shown.text
    assert "abc \ufffd cba" in shown.text
    made = verifier.page.evaluate(
        "document.querySelectorAll('#results img, #results script, #results h2 b').length"
    )
    assert made == 0
    direction = verifier.page.evaluate(
        """() => getComputedStyle(Array.from(document.querySelectorAll("dd"))
            .find((one) => one.textContent.startsWith("\u0645"))).direction"""
    )
    assert direction == "rtl"


def test_evidence_beside_a_bundle_is_compared(verifier: Verifier, case: bytes) -> None:
    """The same bytes are found whatever the file is called; one byte more is another file."""
    files = {"case.comity": case, "copy.csv": LEDGER, "other.csv": LEDGER + b"\n"}
    found = verifier.judge(files)
    assert "bank/ledger.csv" in found["copy.csv"].text
    assert hashlib.sha256(LEDGER).hexdigest() in found["copy.csv"].text
    assert "No message" in found["other.csv"].text


def test_evidence_beside_a_false_bundle_is_not_called_verified(
    verifier: Verifier, case: bytes
) -> None:
    """What a file says that does not hold is nobody's word."""
    damaged = case.replace(b"transmit", b"transmi7", 1)
    found = verifier.judge({"case.comity": damaged, "copy.csv": LEDGER})
    assert found["case.comity"].conclusion == "false"
    assert "SAME BYTES" not in found["copy.csv"].text


def test_loose_files_help_each_other(verifier: Verifier, trust: Trust) -> None:
    """A receipt alone is undecided; with document and listing beside it, it is verified."""
    receipt = told(trust).parts["receipts"][0]
    assert verifier.judge({"receipt.json": receipt})["receipt.json"].conclusion == "undecided"
    beside = {f"listing {at}.json": raw for at, raw in enumerate(trust.listings)}
    found = verifier.judge({
        "receipt.json": receipt, "document.json": trust.documents[0], **beside,
    })  # fmt: skip
    assert {one.conclusion for one in found.values()} == {"true"}
    damaged = receipt.replace(b'"salt":"', b'"salt":"A', 1)
    again = verifier.judge({"receipt.json": damaged, "document.json": trust.documents[0], **beside})
    assert again["receipt.json"].conclusion == "false"


def test_files_can_be_dropped(verifier: Verifier, case: bytes) -> None:
    """As well as chosen."""
    verifier.page.evaluate(DROP, ["dropped.comity", base64.b64encode(case).decode()])
    expect(verifier.page.locator("#status")).to_have_text(DONE)
    assert verifier.shown()["dropped.comity"].conclusion == "true"


def test_the_keyboard_reaches_everything_and_shows_where_it_is(verifier: Verifier) -> None:
    """First the files, then the fingerprint, each with an outline."""
    for wanted in ("files", "trusted"):
        verifier.page.keyboard.press("Tab")
        focus = verifier.page.evaluate(
            """() => [document.activeElement.id,
                getComputedStyle(document.activeElement).outlineStyle]"""
        )
        assert focus == [wanted, "solid"]


def test_a_narrow_screen_shows_all_without_scrolling_sideways(
    verifier: Verifier, case: bytes
) -> None:
    """Also words of five thousand letters."""
    verifier.page.set_viewport_size({"width": 360, "height": 700})
    verifier.judge({"case.comity": case})
    wide = verifier.page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide == 0


CONTRASTS = """() => {
    const light = (text) => {
        const parts = text.match(/[0-9.]+/g).slice(0, 3).map((part) => part / 255)
            .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
    };
    const behind = (one) => {
        for (let at = one; at; at = at.parentElement) {
            const { backgroundColor } = getComputedStyle(at);
            if (!/, 0\\)$/.test(backgroundColor)) return backgroundColor;
        }
        return "rgb(255, 255, 255)";
    };
    return Array.from(document.querySelectorAll("body *"))
        .filter((one) => one.innerText && !["SCRIPT", "NOSCRIPT", "STYLE"].includes(one.tagName))
        .map((one) => {
            const [a, b] = [light(getComputedStyle(one).color), light(behind(one))];
            return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), one.tagName];
        }).filter(([contrast]) => contrast < 7);
}"""


def test_all_texts_have_high_contrast(verifier: Verifier, case: bytes, trust: Trust) -> None:
    """Seven to one, as WCAG's AAA wants it, in every conclusion."""
    receipt = told(trust).parts["receipts"][0]
    files = {"good.comity": case, "bad.comity": case[:-1], "r.json": receipt, "x.txt": b"x"}
    found = verifier.judge(files)
    shown = [found[name].conclusion for name in files]
    assert shown == ["true", "false", "undecided", "other"]
    assert verifier.page.evaluate(CONTRASTS) == []
