"""What the fictional authorities write: the parts that all requests have in common.

States that do not exist: Aldoria QM, Sahelle QN, Marazul QP, Kibaru QR, Nuriya QS, Cantera
QT. Money is in XTS, the currency reserved for tests; addresses end in `.example`. Nothing in
a demonstration can be mistaken for a case, and every text says that it is none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

Body = dict[str, Any]

FICTIONAL: Final = "DEMO - FICTIONAL"

OFFICES: Final[Mapping[str, Body]] = {
    "qm.prosecution": {
        "name": "Prosecution Service of Aldoria (fictional)", "official": "Ada Merrow",
        "function": "Head of international cooperation", "country": "QM",
        "email": "mla@prosecution.aldoria.example",
    },
    "qn.court": {
        "name": "Criminal Court of Sahelle (fictional)", "official": "Moussa Diarra",
        "function": "Judge for international cooperation", "country": "QN",
        "email": "entraide@justice.sahelle.example",
    },
    "qp.justice": {
        "name": "Ministry of Justice of Marazul (fictional)", "official": "Inês Valverde",
        "function": "Central authority", "country": "QP",
        "email": "cooperacao@justica.marazul.example",
    },
    "qr.justice": {
        "name": "Attorney General of Kibaru (fictional)", "official": "Neema Okello",
        "function": "Central authority", "country": "QR", "email": "mla@ag.kibaru.example",
    },
    "qs.justice": {
        "name": "وزارة العدل في نورية (fictional)", "official": "Salma Haddad",
        "function": "Central authority", "country": "QS", "email": "mla@justice.nuriya.example",
    },
    "qs.court": {
        "name": "محكمة الجنايات في نورية (fictional)", "official": "Karim Mansour",
        "function": "Presiding judge", "country": "QS",
        "email": "court@justice.nuriya.example",
    },
    "qp.agency": {
        "name": "Agência Anticorrupção de Marazul (fictional)", "official": "Rita Salgado",
        "function": "Head of the liaison desk", "country": "QP",
        "email": "ligacao@agencia.marazul.example",
    },
    "qp.fiu": {
        "name": "Unidade de Informação Financeira de Marazul (fictional)",
        "official": "Duarte Pires", "function": "Analyst", "country": "QP",
        "email": "uif@financas.marazul.example",
    },
    "qt.justice": {
        "name": "Fiscalía General de Cantera (fictional)", "official": "Lucía Robledo",
        "function": "Central authority", "country": "QT",
        "email": "cooperacion@fiscalia.cantera.example",
    },
}  # fmt: skip
"""The offices of the demonstration as they name themselves in their requests."""


_LANGUAGES: Final[Mapping[str, str]] = {
    "QM": "en", "QN": "fr en", "QP": "pt en", "QR": "en sw", "QS": "ar fr en", "QT": "es en",
}  # fmt: skip


def wanted_by(authority: str) -> dict[str, object]:
    """Give the settings that say of which State an authority is, and what it reads."""
    country = authority.partition(".")[0].upper()
    return {"office.country": country, "office.languages": _LANGUAGES[country].split()}


def sending(office: str, reference: str, **more: Any) -> Body:  # noqa: ANN401  (fields of a body: any JSON)
    """Give what every message that opens a case has."""
    return {
        "own_ref": reference,
        "legal_basis": [{"instrument": "UNCAC", "article": "46", "primary": True}],
        "channel": "CENTRAL_AUTHORITY_DIRECT",
        "transmission_effect": "ADVANCE",
        "urgency": "ROUTINE",
        "language": "en",
        "translation_status": "SOURCE_IS_ACCEPTED_LANGUAGE",
        "handling": {"disclosure": "TLP:AMBER", "use": ["U4"]},
        "requesting_authority": OFFICES[office],
        **more,
    }


def request(office: str, reference: str, **more: Any) -> Body:  # noqa: ANN401  (fields of a body: any JSON)
    """Give what every formal request has (UNCAC 46(15))."""
    country = OFFICES[office]["country"]
    return sending(
        office, reference,
        **{
            "second_contact": {
                "name": f"Duty desk of {OFFICES[office]['name']}",
                "email": OFFICES[office]["email"],
            },
            "conducting_authority": {
                "name": f"Special prosecutor in {country} (fictional)",
                "functions": "Leads the investigation and brings charges",
            },
            "stage": "INVESTIGATION",
            "proceedings_instituted": False,
            "confidentiality_requested": True,
            "confidentiality_reason": "The persons concerned do not know of the investigation.",
            "target_notification": "NOT_ALLOWED",
            "undertakings": {"use_limitation": True},
            **more,
        },
    )  # fmt: skip


def contact(office: str) -> Body:
    """Give whom to ask at an office, for an acknowledgement."""
    known = OFFICES[office]
    return {"name": known["official"], "function": known["function"], "email": known["email"]}


def dated(moment: int) -> str:
    """Give the day of a moment as documents write it."""
    return dt.datetime.fromtimestamp(moment, dt.UTC).date().isoformat()
