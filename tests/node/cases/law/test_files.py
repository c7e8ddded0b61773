"""The law that the node brings: every file is read, and every cross-reference leads somewhere."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.cases.law import FieldRule, Kind, Law, load_law
from node.cases.law.checks import CITATION, MANDATORY_CORE
from node.cases.law.load import BUILT_IN
from node.cases.law.model import LANGUAGES
from protocol.lifecycle import machine_of

FILES = sorted(BUILT_IN.rglob("*.toml"))
LAW = load_law()

ASKED_FOR = {
    "MLA_EVIDENCE", "MLA_SERVICE", "MLA_SEARCH_SEIZURE", "MLA_BANK_RECORDS", "MLA_VIDEO_HEARING",
    "MLA_DETAINED_TRANSFER", "MLA_APPEARANCE", "FREEZING", "CONFISCATION", "PRESERVATION",
    "EXTRADITION", "PROVISIONAL_ARREST", "TRANSFER_PROCEEDINGS", "TRANSFER_SENTENCED",
    "SPECIAL_TECHNIQUE", "JOINT_INVESTIGATION", "SPONTANEOUS", "INFORMAL_INQUIRY", "CONSULTATION",
}  # fmt: skip

FORMAL = [kind for kind in LAW.kinds.values() if kind.formal]


def rules(law: Law) -> Iterator[tuple[Kind, FieldRule]]:
    """Give every field of every kind."""
    for kind in law.kinds.values():
        for rule in (*kind.fields, *kind.release):
            yield kind, rule


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(BUILT_IN).as_posix())
def test_every_file_is_read_and_known(path: Path) -> None:
    """No file lies there that nothing takes in: each kind, basis and core is found by its name."""
    tree = tomllib.loads(path.read_text())
    assert tree
    match path.parent.name:
        case "kinds":
            assert LAW.kinds[tree["code"]].title == tree["title"]
        case "bases":
            assert LAW.bases[tree["code"]].title == tree["title"]
        case "cores":
            assert any(path.stem in kind.cores for kind in LAW.kinds.values())
        case _:
            assert path.parent == BUILT_IN


def test_all_kinds_of_request_are_there() -> None:
    """Neither more nor fewer than the field knows."""
    assert set(LAW.kinds) == ASKED_FOR


@pytest.mark.parametrize("kind", LAW.kinds.values(), ids=lambda kind: kind.code)
def test_a_kind_follows_the_machine_of_its_code(kind: Kind) -> None:
    """The file for lawyers and the table of the life cycle say the same."""
    assert kind.machine == machine_of(kind.code)


@pytest.mark.parametrize("kind", FORMAL, ids=lambda kind: kind.code)
def test_a_formal_kind_asks_for_what_a_request_shall_contain(kind: Kind) -> None:
    """UNCAC 46(15)(a)-(d) and (f), mandatory; no facts are needed for service alone."""
    for name in MANDATORY_CORE:
        if name.startswith("items") and not kind.assistance:
            continue
        rule = kind.field(name)
        assert rule is not None
        if name == "facts_summary" and kind.code == "MLA_SERVICE":
            assert rule.need == "optional"
        else:
            assert rule.need == "mandatory", name


@pytest.mark.parametrize("kind", LAW.kinds.values(), ids=lambda kind: kind.code)
def test_the_sections_of_a_form_hold_each_field_once(kind: Kind) -> None:
    """What is asked for can be shown, and nothing is asked twice."""
    shown = [name for section in kind.sections for name in section.fields]
    assert sorted(shown) == sorted(rule.name for rule in kind.fields)
    assert len(shown) == len(set(shown))


def test_every_rule_is_cited_in_a_known_form() -> None:
    """A caseworker who is stopped can look up by what."""
    wrong = [rule.rule for _, rule in rules(LAW) if CITATION.fullmatch(rule.rule) is None]
    assert wrong == []


def test_what_rests_on_practice_alone_is_said_to_be() -> None:
    """A field without an article never looks as if it had one, nor an article as if it had none."""
    for kind, rule in rules(LAW):
        has_article = re.search(r"\d+\(|\s\d+$|\d, \d|s\. \d", rule.rule) is not None
        practical = rule.rule.startswith("practice")
        assert has_article or practical, f"{kind.code} {rule.name}"


def test_a_mandatory_part_has_a_whole() -> None:
    """A member of a list stands under a list that is a field as well."""
    for kind, rule in rules(LAW):
        head, part, _ = rule.name.rpartition("[].")
        if part:
            whole = kind.field(head)
            assert whole is not None
            assert whole.type in {"list", "people", "items", "documents"}, f"{kind.code} {head}"


def test_every_vocabulary_is_used_or_stands_in_messages() -> None:
    """A vocabulary that no form and no event uses would be dead weight."""
    in_forms = {rule.vocabulary for _, rule in rules(LAW)}
    in_events = {
        "refusal_ground_mla", "refusal_ground_extradition", "forbidden_refusal_ground",
        "postponement_ground", "return_reason", "outcome", "transport_evidence",
        "evidence_item_type", "custody_action", "hash_algorithm", "asset_stage",
    }  # fmt: skip
    assert set(LAW.codes) <= in_forms | in_events


def test_no_term_is_an_orphan_of_its_languages() -> None:
    """Every term stands in all eight languages, with a text in each."""
    for term in LAW.terms.values():
        assert tuple(term.labels) == LANGUAGES
        assert all(label.text.strip() == label.text for label in term.labels.values())


def test_every_term_that_is_named_exists_and_the_central_ones_are_named() -> None:
    """Forms, kinds and offences are tied to the glossary, so that labels can follow the reader."""
    named = {rule.term for _, rule in rules(LAW)} | {one.term for one in LAW.kinds.values()}
    named |= {one.term for one in LAW.offences.values()}
    named.discard(None)
    assert named <= set(LAW.terms)
    assert {"dual_criminality", "summary_of_facts", "purpose", "extradition", "bribery"} <= named


def test_bank_secrecy_is_no_ground_in_any_profile() -> None:
    """Nor are fiscal matters: UNCAC 46(8), 46(22), 44(16)."""
    assert set(LAW.forbidden_grounds) == {"46-8", "46-22", "44-16"}
    for basis in LAW.bases.values():
        grounds = (*basis.refusal, *basis.refusal_extradition, *basis.postponement)
        assert not {one.code for one in grounds} & set(LAW.forbidden_grounds)
    for kind in LAW.kinds:
        for basis_code in (None, *LAW.bases):
            offered = LAW.refusal_grounds(basis_code, kind)
            assert not set(offered) & set(LAW.forbidden_grounds)


def test_an_electronic_message_is_an_advance_copy_unless_a_source_is_cited() -> None:
    """No profile claims more than it can show."""
    for basis in LAW.bases.values():
        assert basis.effect in {"ADVANCE", "COURTESY"} or basis.effect_source


def test_networks_of_contacts_carry_no_formal_request() -> None:
    """ARINSA, ARIN-EA and GlobE are for inquiries alone, and refuse nothing."""
    networks = {code for code, one in LAW.bases.items() if one.inquiry_only}
    assert networks == {"ARINSA", "ARIN_EA", "GLOBE"}
    for code in networks:
        assert not any(LAW.kinds[kind].formal for kind in LAW.bases[code].kinds)
        assert LAW.bases[code].effect == "COURTESY"


def test_limits_without_a_source_are_marked_as_the_products_own() -> None:
    """Every clock but provisional arrest has a default, and only the profile sets that one."""
    assert "provisional_arrest" not in LAW.defaults
    assert LAW.limit("UNCAC", "provisional_arrest") is None
    for limit in LAW.defaults.values():
        assert limit.product_default is not bool(limit.source)
    found = LAW.limit("BUDAPEST", "preservation")
    assert found is not None
    assert (found.count, found.unit, found.source) == (60, "days", "Budapest Convention 29(7)")
    convention = LAW.limit("UNCAC", "safe_conduct")
    assert convention is not None
    assert (convention.count, convention.source) == (15, "UNCAC 46(27)")


def test_only_urgent_measures_go_out_on_one_signature() -> None:
    """Preservation, freezing and provisional arrest; talk needs none; all else needs two first."""
    by_need = {
        need: {kind.code for kind in LAW.kinds.values() if kind.second_person == need}
        for need in ("before", "within-24h", "none")
    }
    assert by_need["within-24h"] == {"PRESERVATION", "FREEZING", "PROVISIONAL_ARREST"}
    assert by_need["none"] == {"SPONTANEOUS", "INFORMAL_INQUIRY", "CONSULTATION"}


def test_an_offer_of_information_has_no_field_for_content() -> None:
    """Content is released after its restrictions were accepted: UNCAC 46(5)."""
    offer = LAW.kinds["SPONTANEOUS"]
    assert offer.field("content") is None
    assert offer.field("restrictions") is not None
    assert {"content", "reliability", "accuracy"} <= {rule.name for rule in offer.release}


def test_every_offence_names_its_conduct() -> None:
    """Dual criminality is a matter of conduct: UNCAC 43(2)."""
    for offence in LAW.offences.values():
        assert offence.elements or offence.code == "OTHER"


def test_what_is_not_sure_is_marked() -> None:
    """Profiles and limits from memory or from secondary sources are shown as unreviewed."""
    unsure = {code for code, one in LAW.bases.items() if one.unreviewed}
    assert {"ASEAN_MLAT_2004", "IGAD_MLA_2009", "MEDELLIN_2019", "UN_CYBERCRIME_2024"} <= unsure
    assert not {"UNCAC", "UNTOC", "BUDAPEST"} & unsure
    arrest = LAW.limit("SADC_EXTRADITION_2002", "provisional_arrest")
    assert arrest is not None
    assert arrest.unreviewed
