"""The law as data: kinds of request, legal bases, offences, vocabularies and terms.

    from node.cases.law import load_law

The files beside this one are for lawyers to read and to correct; an authority adds its own
in a folder. Nothing here knows a case, a person or a state.
"""

from node.cases.law.load import load_law, read_law
from node.cases.law.model import (
    Basis,
    Clock,
    Code,
    Condition,
    Confidence,
    FieldRule,
    FormSection,
    Ground,
    HolidayChange,
    Kind,
    Law,
    Limit,
    Offence,
    Term,
)
from node.cases.law.read import LawError

__all__ = [
    "Basis", "Clock", "Code", "Condition", "Confidence", "FieldRule", "FormSection", "Ground",
    "HolidayChange", "Kind", "Law", "LawError", "Limit", "Offence", "Term", "load_law",
    "read_law",
]  # fmt: skip
