"""An authority's own folder of law: what it may add, and what it may not take away."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from node.cases.law import LawError, load_law, read_law
from tests.node.cases.law.folders import TREATY, VISIT, own, problems


def test_an_empty_folder_changes_nothing(tmp_path: Path) -> None:
    """The law that the node brings stands as it is."""
    assert read_law(own(tmp_path, {})) == load_law()


def test_an_authority_adds_kinds_bases_terms_offences_and_holidays(tmp_path: Path) -> None:
    """What it adds is found like what the node brings, and is a code of its vocabulary."""
    law = read_law(own(tmp_path, {
        "kinds/x_visit.toml": VISIT,
        "bases/qm_qp_1998.toml": TREATY,
        "offences.toml": '[[offences]]\ncode = "QM-12"\ntitle = "Smuggling of salt"\n'
        'instrument = "domestic law"\narticle = "12"\nduty = "optional"\n'
        'elements = ["carried salt"]\n',
        "codes.toml": '[vocabularies.bank_document]\nLEDGER = { label = "Ledger" }\n',
        "holidays.toml": "[countries.QM]\nadd = [2026-05-04]\nremove = ['2026-12-26']\n",
    }))  # fmt: skip
    assert law.kinds["X_VISIT"].field("visitors") is not None
    assert law.kinds["X_VISIT"].field("nexus") is not None
    assert law.codes["request_kind"]["X_VISIT"].label == "Visit of officials"
    assert law.codes["legal_basis"]["QM_QP_1998"].label.startswith("Treaty between")
    assert law.codes["offence"]["QM-12"].label == "Smuggling of salt"
    assert law.codes["bank_document"]["LEDGER"].label == "Ledger"
    arrest = law.limit("QM_QP_1998", "provisional_arrest")
    assert arrest is not None
    assert (arrest.count, arrest.unreviewed) == (40, False)
    assert set(law.refusal_grounds("QM_QP_1998", "MLA_EVIDENCE")) == {"46-21-b"}
    days = law.holidays["QM"]
    assert [dt.date.fromisoformat(day) for day in (*days.add, *days.remove)] == [
        dt.date(2026, 5, 4), dt.date(2026, 12, 26),
    ]  # fmt: skip


def test_an_authority_asks_for_more_in_a_kind_that_is_there(tmp_path: Path) -> None:
    """What was optional becomes mandatory, by a rule that is its own."""
    folder = own(tmp_path, {"narrowed.toml": (
        '[[fields]]\nkind = "MLA_EVIDENCE"\nname = "dual_criminality_note"\nneed = "mandatory"\n'
        'rule = "domestic law: Assistance Act s. 7"\nwhy = "Our courts ask for it."\n'
    )})  # fmt: skip
    rule = read_law(folder).kinds["MLA_EVIDENCE"].field("dual_criminality_note")
    assert rule is not None
    assert (rule.need, rule.rule) == ("mandatory", "domestic law: Assistance Act s. 7")
    untouched = load_law().kinds["MLA_EVIDENCE"].field("dual_criminality_note")
    assert untouched is not None
    assert untouched.need == "optional"


def test_an_authority_sets_limits_where_law_is_silent(tmp_path: Path) -> None:
    """For all bases, or for one; what a basis says of itself stays otherwise."""
    law = read_law(own(tmp_path, {"limits.toml": (
        '[[limits]]\nclock = "acknowledgement"\ncount = 3\nunit = "working_days"\n'
        'source = "domestic law: Assistance Act s. 8"\n'
        '[[limits]]\nbasis = "BILATERAL"\nclock = "provisional_arrest"\ncount = 40\nunit = "days"\n'
        'source = "domestic law: treaty of 1998"\n'
    )}))  # fmt: skip
    for basis, clock, count in (
        ("UNCAC", "acknowledgement", 3),
        ("BILATERAL", "provisional_arrest", 40),
        ("BUDAPEST", "preservation", 60),
    ):
        found = law.limit(basis, clock)  # type: ignore[arg-type]  # a table of plain texts
        assert found is not None
        assert found.count == count
    assert law.limit("UNCAC", "provisional_arrest") is None


def changed(text: str, old: str, new: str) -> str:
    """Change one thing in a file that was right."""
    assert text.count(old) == 1
    return text.replace(old, new)


WEAKER = """
[[fields]]
name = "{name}"
label = "x"
type = "{type}"
need = "optional"
section = "facts"
rule = "practice"
why = "We rarely need it."
"""

REFUSED = (
    ("a kind whose code could be ours", "kinds/visit.toml", changed(VISIT, "X_VISIT", "VISIT"),
     "begins with X_, as X_VISIT"),
    ("a kind in the file of another", "kinds/x_tour.toml", VISIT, "called x_visit.toml"),
    ("a kind without facts", "kinds/x_visit.toml",
     VISIT + WEAKER.format(name="facts_summary", type="long_text"), "cannot become optional"),
    ("a kind without the purpose", "kinds/x_visit.toml",
     VISIT + WEAKER.format(name="items[].purpose", type="long_text"), "UNCAC 46(15)(f)"),
    ("a formal kind without the cores", "kinds/x_visit.toml",
     changed(VISIT, '"sending", "request", "assistance"', '"sending"'),
     '"subject_matter", mandatory'),
    ("a formal kind that asks for nothing", "kinds/x_visit.toml",
     changed(VISIT, 'assistance = ["46-3-i"]', "assistance = []"), "which assistance"),
    ("a core that there is not", "kinds/x_visit.toml", changed(VISIT, '"request",', '"requests",'),
     "no core is called requests; cores are assistance, request, sending"),
    ("a machine that the life cycle has not for it", "kinds/x_visit.toml",
     changed(VISIT, 'machine = "request"', 'machine = "inquiry"'),
     "the machine of X_VISIT is request"),
    ("a formal kind on one signature", "kinds/x_visit.toml",
     changed(VISIT, 'second_person = "before"', 'second_person = "none"'), "needs a second person"),
    ("a signature later for what is no measure", "kinds/x_visit.toml",
     changed(VISIT, 'second_person = "before"', 'second_person = "within-24h"'), "time_limited"),
    ("a field twice", "kinds/x_visit.toml", VISIT + VISIT[VISIT.index("[[fields]]"):],
     '"visitors" stands twice'),
    ("a field in no section", "kinds/x_visit.toml", changed(VISIT, '"hearing"', '"visits"'),
     "no section is called visits"),
    ("a field of no type", "kinds/x_visit.toml", changed(VISIT, '"texts"', '"strings"'),
     'fields "visitors", type: a type is code:VOCABULARY'),
    ("a field of no vocabulary", "kinds/x_visit.toml", changed(VISIT, '"texts"', '"code:visitor"'),
     "no vocabulary is called visitor"),
    ("a rule that cites nothing", "kinds/x_visit.toml",
     changed(VISIT, "domestic law: Visits Act s. 3", "we always did"), "is no citation"),
    ("a condition without a need for it", "kinds/x_visit.toml",
     VISIT + 'when = { field = "stage", is = "TRIAL" }\n', 'has "when" if, and only if'),
    ("a condition on a field that there is not", "kinds/x_visit.toml",
     changed(VISIT, 'need = "mandatory"', 'need = "conditional"')
     + 'when = { field = "guests", present = true }\n', 'depends on "guests"'),
    ("a condition on a code that there is not", "kinds/x_visit.toml",
     changed(VISIT, 'need = "mandatory"', 'need = "conditional"')
     + 'when = { field = "stage", is = "TRIALS" }\n', "TRIALS is no code of stage"),
    ("two conditions in one", "kinds/x_visit.toml",
     changed(VISIT, 'need = "mandatory"', 'need = "conditional"')
     + 'when = { field = "stage", is = "TRIAL", absent = true }\n', "exactly one of"),
    ("a misspelt key", "kinds/x_visit.toml", changed(VISIT, "coercive =", "coerceive ="),
     "coerceive: there is no such key"),
    ("a basis that is there already", "bases/uncac.toml", changed(TREATY, "QM_QP_1998", "UNCAC"),
     "UNCAC is there already"),
    ("a forbidden ground", "bases/qm_qp_1998.toml", changed(TREATY, "46-21-b", "46-8"),
     "46-8 (Bank secrecy) is no ground of refusal"),
    ("a ground that there is not", "bases/qm_qp_1998.toml", changed(TREATY, "46-21-b", "46-21-z"),
     "46-21-z is no code of refusal_ground_mla"),
    ("more effect than is cited", "bases/qm_qp_1998.toml",
     changed(TREATY, 'effect_source = "Exchange of notes of 2024"', ""), "effect_source"),
    ("arrest without its limit", "bases/qm_qp_1998.toml",
     changed(TREATY, "provisional_arrest =", "decision ="), "a limit provisional_arrest"),
    ("a limit without a source", "bases/qm_qp_1998.toml",
     changed(TREATY, ', source = "Treaty 12"', ""), "names its source"),
    ("a clock that does not run", "bases/qm_qp_1998.toml",
     changed(TREATY, "provisional_arrest =", "coffee_break ="), "limits"),
    ("a kind that there is not", "bases/qm_qp_1998.toml",
     changed(TREATY, '"MLA_EVIDENCE"', '"MLA_EVIDENZ"'), "no kind is called MLA_EVIDENZ"),
    ("a channel that there is not", "bases/qm_qp_1998.toml",
     changed(TREATY, "CENTRAL_AUTHORITY_DIRECT", "PIGEON"), "PIGEON is no code of channel"),
    ("a ground of their own among the forbidden ones", "codes.toml",
     '[vocabularies.forbidden_refusal_ground]\nX = { label = "x" }\n', "is the same everywhere"),
    ("less than is mandatory", "narrowed.toml",
     ('[[fields]]\nkind = "MLA_EVIDENCE"\nname = "nexus"\nneed = "optional"\nrule = "practice"\n'
     'why = "We know."\n'), "may only ask for more"),
    ("more of a field that there is not", "narrowed.toml",
     ('[[fields]]\nkind = "MLA_EVIDENCE"\nname = "nexxus"\nneed = "mandatory"\nrule = "practice"\n'
     'why = "We know."\n'), 'MLA_EVIDENCE has no field "nexxus"'),
    ("a limit of arrest for all", "limits.toml",
     '[[limits]]\nclock = "provisional_arrest"\ncount = 40\nunit = "days"\nsource = "practice"\n',
     "no limit for all"),
    ("a limit for a basis that there is not", "limits.toml",
     ('[[limits]]\nbasis = "UNCLE"\nclock = "decision"\ncount = 4\nunit = "days"\n'
     'source = "practice"\n'), "no basis is called UNCLE"),
    ("a term without its languages", "glossary.toml",
     '[[terms]]\nid = "salt"\ncategory = "thing"\nlabels.en = { text = "salt" }\n',
     "the term salt has no label in fr"),
    ("a holiday that is no day", "holidays.toml", '[countries.QM]\nadd = ["May Day"]\n',
     "holidays.toml: countries, QM, add number 1"),
    ("a holiday that the calendar has not", "holidays.toml",
     '[countries.QM]\nadd = ["2026-02-30"]\n', "a day is written YYYY-MM-DD"),
    ("what is no TOML", "limits.toml", "limits = [", "limits.toml: is not TOML"),
    ("lists in lists without end", "limits.toml", "limits = " + 100_000 * "[", "without end"),
    ("what is no text", "limits.toml", "limits = \udcff", "is not text in UTF-8"),
    ("a file without a place", "sections.toml", "sections = []\n", "has no place there"),
    ("a file in a folder without a place", "old/x_visit.toml", VISIT, "has no place there"),
)  # fmt: skip


@pytest.mark.parametrize(("what", "name", "text", "says"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_folder_that_does_not_fit_is_refused(
    what: str, name: str, text: str, says: str, tmp_path: Path
) -> None:
    """Each with a sentence that names the file and says what would be right."""
    found = problems(own(tmp_path, {name: text}))
    assert any(says in sentence for sentence in found), (what, found)
    assert all(name in sentence for sentence in found if says in sentence)


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    """A lawyer mends a folder in one go, not one sentence after the other."""
    found = problems(own(tmp_path, {
        "limits.toml": "limits = [", "kinds/x_visit.toml": changed(VISIT, '"texts"', '"strings"'),
    }))  # fmt: skip
    assert len(found) == 2


def test_a_folder_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    """A misspelt setting does not leave the node without the authority's law."""
    with pytest.raises(LawError, match=r"\[law\] folder"):
        load_law(tmp_path / "nowhere")


def test_a_node_keeps_the_law_with_which_it_started(tmp_path: Path) -> None:
    """Files that somebody is writing change nothing until the next start; a check sees them."""
    folder = own(tmp_path, {"kinds/x_visit.toml": VISIT})
    before = load_law(folder)
    (folder / "kinds" / "x_visit.toml").write_text("half")
    assert load_law(folder) is before
    assert problems(folder)
