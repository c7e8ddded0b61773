"""What is written in case 4: the treaty that both States add to their law, and the requests.

Nothing here is a case, and no treaty: States, authorities and persons do not exist.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from node.demo.cases.texts import FICTIONAL, OFFICES, Body, request, sending

ASKING: Final = "qt.justice"
BASIS: Final = "QT_QR_2019"
ARREST_DAYS: Final = 40
ARREST_SOURCE: Final = "Treaty QT-QR 12(4)"

TREATY: Final = f"""\
# {FICTIONAL}: a profile that an authority adds to its own law
code = "{BASIS}"
title = "Treaty between Cantera and Kibaru on extradition and assistance, 2019 (fictional)"
kinds = ["EXTRADITION", "PROVISIONAL_ARREST", "TRANSFER_PROCEEDINGS", "CONSULTATION"]
languages = ["es", "en"]
language_source = "Article 6(2)"
channels = ["CENTRAL_AUTHORITY_DIRECT", "DIPLOMATIC"]
effect = "FORMAL"
effect_source = "Exchange of notes, paragraph 2 (fictional)"
dual_criminality = "Needed for extradition (article 3); the conduct decides, not its name."
notes = ["Article 17 asks for consultation before any refusal."]

[articles]
EXTRADITION = "Treaty QT-QR 9"
PROVISIONAL_ARREST = "Treaty QT-QR 12"

[limits]
provisional_arrest = {{ count = {ARREST_DAYS}, unit = "days", source = "{ARREST_SOURCE}" }}

[[refusal]]
code = "46-21-b"
source = "Treaty QT-QR 4(1)(a)"

[[refusal_extradition]]
code = "44-11"
source = "Treaty QT-QR 10(1)"

[[postponement]]
code = "46-25"
source = "Treaty QT-QR 5"
"""

FUGITIVE: Final[Body] = {
    "role": "SOUGHT_PERSON", "name": "Ramiro Sol (fictional)", "nationality": "QT",
    "birth_date": "1968-11-30", "location": "Kibaru City",
}  # fmt: skip
CONSENTING: Final[Body] = {
    "role": "SOUGHT_PERSON", "name": "Inés Vera (fictional)", "nationality": "QT",
    "birth_date": "1979-06-18", "location": "Kibaru City",
}  # fmt: skip

WHICH_CONDUCT: Final = (
    "Illicit enrichment (article 20) is no offence in Kibaru. Which conduct is the person accused "
    "of, element by element?"
)
CONDUCT: Final = (
    "Se acusa de la conducta y no de su nombre (43(2)): como director del fondo de vivienda, "
    "ordenó doce pagos a una sociedad propia y ocultó su origen. Es peculado en ambos Estados."
)
NATIONAL: Final = (
    "The civil register of Kibaru shows that the person was born here and never gave up his "
    "nationality. Kibaru does not extradite its nationals (treaty, article 10(1)). Before "
    "anything is decided, Cantera is consulted; Kibaru is ready to prosecute at its request."
)
REQUEST_TO_PROSECUTE: Final = (
    "Cantera toma nota. Si la extradición se deniega por la nacionalidad, pide que el asunto se "
    "someta sin demora a las autoridades competentes para su enjuiciamiento (44(11))."
)
CONSENTED: Final = (
    "Before the judge, with counsel and after being told what it means, the person consented to "
    "surrender without a formal extradition procedure; she may not withdraw it (minutes follow)."
)

CASE_FILE: Final[Mapping[str, str]] = {
    "volume-1.txt": f"{FICTIONAL}\nEscrito de acusación\n",
    "volume-2.txt": f"{FICTIONAL}\nExtractos de cuenta y peritaje contable\n",
    "warrant.txt": f"{FICTIONAL}\nOrden de detención\n",
}
CHARGED: Final[Mapping[str, str]] = {
    "charge-sheet.txt": f"{FICTIONAL}\nCharges brought before the High Court of Kibaru\n",
}
SURRENDERED: Final[Mapping[str, str]] = {
    "consent.txt": f"{FICTIONAL}\nMinutes of the hearing: consent to simplified surrender\n",
    "surrender.txt": f"{FICTIONAL}\nRecord of the surrender at the airport of Kibaru City\n",
}

_FUGITIVE_DOING: Final = (
    "Entre 2020 y 2022 el acusado, director de un fondo público, pagó a una sociedad propia."
)


def _treaty(article: str) -> list[Body]:
    return [
        {"instrument": BASIS, "article": article, "primary": True},
        {"instrument": "UNCAC", "article": "44", "primary": False},
    ]


def arrest(reference: str, person: Body) -> Body:
    """Ask for a person to be arrested until the request for extradition is there (44(10))."""
    return sending(
        ASKING, reference,
        legal_basis=_treaty("12"),
        urgency="URGENT", urgency_reason="FLIGHT",
        duty_contact={
            "name": "Servicio de guardia de Cantera (fictional)",
            "email": OFFICES[ASKING]["email"],
        },
        subject_matter=f"Prosecution for embezzlement ({FICTIONAL})",
        persons=[person],
        warrant_statement="A warrant of arrest of the Criminal Court of Cantera is in force.",
        offences=[{"code": "17", "penalty_max": "Ten years of imprisonment"}],
        facts_summary="The director of a public fund paid its money to a company of his own.",
        urgency_grounds="A ticket was bought for tomorrow morning.",
        intends_extradition=True,
        treaty_limit_days=ARREST_DAYS,
        confidentiality_requested=True,
    )  # fmt: skip


def _spanish(reference: str, digest: str, person: Body) -> Body:
    return request(
        ASKING, reference,
        language="es", translation_status="SWORN_OR_CERTIFIED",
        translations=[{
            "language": "en", "translator": "Traductora jurada 21 (fictional)",
            "status": "certified", "date": "2025-10-03", "sha256": digest * 32,
        }],
        subject_matter=f"Peculado de un fondo público de vivienda ({FICTIONAL})",
        stage="PROSECUTION", proceedings_instituted=True,
        proceedings={
            "court": "Juzgado de lo Penal de Cantera, causa 31/2025 (fictional)",
            "next_dates": "Sin señalar: se espera la entrega.",
        },
        confidentiality_requested=False, confidentiality_reason="",
        target_notification="ALLOWED",
        offences=[
            {
                "code": "17", "provision": "Artículo 432 del Código Penal (fictional)",
                "text": "La autoridad que sustrae caudales que tiene a su cargo comete peculado.",
                "penalty_max": "Diez años de prisión",
                "conduct": ["Una autoridad", "con caudales a su cargo", "los sustrae"],
            },
            {
                "code": "20", "provision": "Artículo 438 del Código Penal (fictional)",
                "text": "La autoridad que no justifica un incremento patrimonial es castigada.",
                "penalty_max": "Tres años de prisión",
                "conduct": ["Una autoridad", "con un incremento patrimonial", "sin justificarlo"],
            },
        ],
        dual_criminality_note="El enriquecimiento ilícito no está tipificado en Kibaru; la "
        "conducta que se describe es allí peculado y blanqueo (43(2)).",
        facts_summary=_FUGITIVE_DOING,
        persons=[person],
    )  # fmt: skip


def extradition(reference: str, arrested: str, person: Body, *, warrant_of: str) -> Body:
    """Ask for a person's extradition for trial (44)."""
    return {
        **_spanish(reference, "f6", person),
        "legal_basis": _treaty("9"),
        "transmission_effect": "FORMAL",
        "effect_basis": "Exchange of notes between Cantera and Kibaru, paragraph 2 (fictional)",
        "extradition_purpose": "TRIAL",
        "warrant": [_listed("warrant.txt", "Orden de detención", date=warrant_of)],
        "limitation_statement": "Prescribe en 2040.",
        "evidence_standard": "Dos testigos y los extractos de cuenta: caso prima facie.",
        "in_absentia": False,
        "death_penalty_possible": False,
        "specialty": True,
        "provisional_arrest_ref": arrested,
        "human_rights_note": "Lo examina el tribunal de Kibaru.",
    }


def transfer(reference: str, refused: str) -> Body:
    """Ask for prosecution where the person is, after a refusal for nationality (44(11), 47)."""
    return {
        **_spanish(reference, "07", FUGITIVE | {"nationality": "QR"}),
        "legal_basis": [{"instrument": "UNCAC", "article": "47", "primary": True}],
        "transfer_reason": "El acusado es nacional del Estado requerido, que no lo extradita.",
        "after_refusal": True,
        "refused_request": refused,
        "file_list": [
            _listed("volume-1.txt", "Acusación"),
            _listed("volume-2.txt", "Extractos y peritaje"),
            _listed("warrant.txt", "Orden de detención"),
        ],
        "evidence_state": "Completa, salvo un informe pericial que se enviará.",
        "own_proceedings": "Suspendidas desde que Kibaru abra las suyas.",
    }


def _listed(name: str, title: str, **more: str) -> Body:
    """Give a document of the file as a list names it: with its digest."""
    return {
        "title": title, "name": name, "language": "es", "pages": 12,
        "sha256": hashlib.sha256(CASE_FILE[name].encode()).hexdigest(), **more,
    }  # fmt: skip
