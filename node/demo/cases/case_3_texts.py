"""What is written in case 3: two requests in French, and what each side says about a flat.

Nothing here is a case: States, courts, persons and sums do not exist.
"""

from __future__ import annotations

from typing import Final

from node.demo.cases.texts import FICTIONAL, Body, request

ASKING: Final = "qn.court"
FROZEN: Final = "4200000.00"
COSTS: Final = "45000.00"
RETURNED: Final = "4155000.00"
CURRENCY: Final = "XTS"

ACCOUNTS: Final = (
    ("QM00-DEMO-4401", "2600000.00"),
    ("QM00-DEMO-4402", "900000.00"),
)
FLAT: Final = ("Registre foncier de Port Aldor, feuillet 77 (fictif)", "700000.00")

_OWNER: Final = "Société Harmattan SA (fictional)"
_TENANT: Final = "Elsa Brandt (fictional)"

CONDITIONS: Final = [
    {"no": "1", "text": "Sahelle bears the costs of managing the flat while it is frozen; they "
     "are taken from what is returned, and shown in an account."},
    {"no": "2", "text": "The tenant, who rents in good faith, stays in the flat, and her lease "
     "goes on; the rent is frozen with it."},
]  # fmt: skip
CONDITIONS_ACCEPTED: Final = (
    "Le tribunal accepte les deux conditions: les frais de gestion, et le bail de la locataire."
)
LITTLE_EVIDENCE: Final = (
    "No evidence has come for sixty days. Unless there is some, the measure is to be lifted "
    "under article 55(7); before that, Sahelle may give its reasons to continue."
)
REASONS_TO_CONTINUE: Final = (
    "L'expertise comptable est déposée depuis le 3: elle suit les fonds du marché public jusqu'aux "
    "deux comptes et au prix de l'appartement. L'audience de confiscation est fixée."
)
EXECUTING: Final = "Asset Management Office of Aldoria (fictional)"
FEEDBACK: Final = "Les fonds sont au trésor public."
CONFISCATED: Final = {"record.txt": f"{FICTIONAL}: record of the confiscation\n"}
GIVEN_BACK: Final = {
    "account-of-costs.csv": f"what;amount;currency\nflat;{COSTS};{CURRENCY}\n",
    "transfer.txt": f"{FICTIONAL}: transfer of {RETURNED} {CURRENCY}\n",
}
KEPT: Final = "The reasons suffice: the measure is kept, and the accounts and the flat stay frozen."
RETURN_AGREED: Final = [
    {"no": "1", "text": f"What was confiscated is returned to Sahelle (57(3)(a)), less {COSTS} "
     f"{CURRENCY} for managing the flat, under condition 1 of the freezing."},
]  # fmt: skip


def _property(*, with_tenant: bool) -> list[Body]:
    number, value = FLAT
    flat: Body = {
        "type": "REAL_ESTATE", "identifier": number, "location": "9 Quay Street, Port Aldor",
        "value": value, "currency": CURRENCY, "owner": _OWNER,
    }  # fmt: skip
    accounts: list[Body] = [
        {"type": "ACCOUNT", "identifier": account, "location": "Banque Démo, Aldoria (fictional)",
         "value": value, "currency": CURRENCY, "owner": _OWNER}
        for account, value in ACCOUNTS
    ]  # fmt: skip
    if with_tenant:
        flat["owner"] = f"{_OWNER}; let to {_TENANT}"
    return [*accounts, flat]


def _offences() -> list[Body]:
    return [
        {
            "code": "17", "provision": "Article 169 du Code pénal (fictif)",
            "text": "L'agent public qui soustrait des fonds qui lui sont confiés commet un délit.",
            "penalty_max": "Dix ans d'emprisonnement",
            "conduct": ["Un agent public", "à qui des fonds sont confiés", "les détourne"],
        },
        {
            "code": "23-1-a-i", "provision": "Article 324 du Code pénal (fictif)",
            "text": "Quiconque convertit le produit d'une infraction pour le cacher commet un "
            "délit.",
            "penalty_max": "Cinq ans d'emprisonnement",
            "conduct": ["Des fonds détournés", "convertis", "pour en cacher l'origine"],
        },
    ]  # fmt: skip


def _common(reference: str, digest: str) -> Body:
    return request(
        ASKING, reference,
        subject_matter=f"Détournement des fonds d'un marché public ({FICTIONAL})",
        language="fr", translation_status="SWORN_OR_CERTIFIED",
        translations=[{
            "language": "en", "translator": "Traductrice jurée 4 (fictional)",
            "status": "certified", "date": "2025-10-01", "sha256": digest * 32,
        }],
        offences=_offences(),
        dual_criminality_note="Le détournement et le blanchiment sont punis dans les deux États.",
        facts_summary="En 2023, un directeur des achats a viré les fonds d'un marché public à une "
        "société qu'il contrôle; elle a acheté un appartement en Aldoria.",
        nexus="Les deux comptes et l'appartement ont été payés avec ces fonds.",
        persons=[{
            "role": "ACCUSED", "name": "Issa Barro (fictional)", "nationality": "QN",
            "birth_date": "1971-04-12",
        }],
    )  # fmt: skip


def freezing() -> Body:
    """Ask for two accounts and a flat to be frozen on a court's order (54(2)(a))."""
    return {
        **_common("TC/2026/0201", "a1"),
        "urgency": "URGENT",
        "urgency_reason": "DISSIPATION",
        "items": [{
            "no": "1", "assistance": "46-3-j", "coercive": True,
            "description": "Geler les deux comptes et l'appartement.",
            "purpose": "Assurer la confiscation.", "form_of_evidence": ["CERTIFIED_COPY"],
        }],
        "freezing_basis": "54-2-a",
        "order": [{
            "title": "Ordonnance de gel du tribunal (fictive)", "date": "2025-09-29",
            "sha256": "b2" * 32,
        }],
        "property": _property(with_tenant=False),
        "property_link": "L'expertise suit les fonds du compte public aux biens désignés.",
        "period_sought": "Jusqu'à l'ordonnance définitive de confiscation",
        "next_step": "Audience de confiscation dans les six mois",
        "management": "L'appartement est à entretenir.",
    }  # fmt: skip


def confiscation(freezing_case: str, *, ordered: str) -> Body:
    """Ask for the final order to be enforced, and for the return of what it brings (57)."""
    return {
        **_common("TC/2026/0388", "c3"),
        "stage": "ENFORCEMENT",
        "proceedings_instituted": True,
        "proceedings": {
            "court": "Tribunal correctionnel de Sahelle, affaire 2023/118 (fictive)",
            "next_dates": "Aucune: l'ordonnance est définitive.",
        },
        "confidentiality_requested": False,
        "target_notification": "ALLOWED",
        "related_requests": [{"reference": "TC/2026/0201", "case": freezing_case}],
        "items": [{
            "no": "1", "assistance": "46-3-k", "coercive": True,
            "description": "Exécuter l'ordonnance de confiscation sur les biens gelés.",
            "purpose": "Restituer les fonds au trésor public.",
            "form_of_evidence": ["CERTIFIED_COPY"],
        }],
        "confiscation_mode": "54-1-a",
        "order": [{
            "title": "Ordonnance de confiscation du tribunal (fictive)", "date": ordered,
            "sha256": "d4" * 32,
        }],
        "order_final": True,
        "order_extent": "La totalité des deux comptes et le prix de l'appartement",
        "third_parties_notice": "La société et la locataire ont été citées en janvier, ont eu "
        "un avocat et ont été entendues à l'audience; la locataire, de bonne foi, garde son bail. "
        "Aucun recours n'est pendant.",
        "property": _property(with_tenant=True),
        "return_basis": "57-3-a",
        "return_proposal": "Restitution au trésor public de Sahelle, frais de gestion déduits.",
    }  # fmt: skip
