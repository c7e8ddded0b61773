"""What is written in case 6: a tip in Portuguese, and what Cantera makes of it in Spanish.

Nothing here is a case: States, agencies, companies and persons do not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from node.demo.cases.texts import FICTIONAL, Body, request, sending

TELLING: Final = "qp.agency"
TOLD: Final = "qt.justice"
KNOWING: Final = "qp.fiu"
CENTRAL: Final = "qp.justice"

RESTRICTIONS: Final = ["U1", "U2"]
_COMPANY: Final = "Maré Alta Importações Lda (fictional)"

CONTENT: Final = (
    "Um funcionário aduaneiro de Cantera recebeu, por três vezes, pagamentos da sociedade "
    f"{_COMPANY}, para libertar contentores sem controlo. Segundo a mesma fonte, o chefe de "
    "turno, Julián Prado (fictional), recusou o dinheiro e não soube de nada."
)
EXCULPATORY: Final = (
    "La defensa de Julián Prado pide el pasaje de su información según el cual rechazó el dinero. "
    "Le favorece: se le entregará el día 122. Se lo comunicamos antes, y les consultamos si lo "
    "desean (46(5))."
)
NAMES_HIDDEN: Final = "Agradecemos o aviso. Pedimos que o que identifica a fonte seja omitido."
DISCLOSED: Final = "El pasaje fue entregado hoy a la defensa, sin nada que identifique a la fuente."
CHARGED: Final = "Su información condujo a una acusación contra el funcionário aduanero."

ANSWER: Final = (
    f"A sociedade {_COMPANY} tem conta no Banco Demo e um único beneficiário efetivo. Apenas como "
    "informação (intelligence only): não é prova, e não pode ser transmitida a outros."
)
FEEDBACK: Final = "Extractos incorporados a la causa; condujeron a una acusación."

RECORDS: Final[Mapping[str, str]] = {
    "statements.csv": "date;amount;currency\n2024-05-02;8000.00;XTS\n2024-06-03;8000.00;XTS\n",
    "opening-file.txt": f"{FICTIONAL}\nFicha de abertura de conta\n",
}


def offer() -> Body:
    """Offer information: its restrictions and its class, and nothing of its content (46(5))."""
    return sending(
        TELLING, "AAC-2026-0007",
        legal_basis=[{"instrument": "UNCAC", "article": "46(4)", "primary": True}],
        channel="POLICE_LIAISON", transmission_effect="COURTESY",
        handling={"disclosure": "TLP:AMBER+STRICT", "use": RESTRICTIONS},
        language="pt", **_courtesy("es", "2c"),
        restrictions=RESTRICTIONS, subject_class="PERSON", obtained_by="HUMAN_SOURCE",
    )  # fmt: skip


def _courtesy(language: str, digest: str) -> Body:
    """Enclose a working translation, which is enough where nothing goes before a court."""
    return {
        "translation_status": "COURTESY",
        "translations": [{
            "language": language, "translator": "Serviço de línguas (fictional)",
            "status": "working", "date": "2025-10-05", "sha256": digest * 32,
        }],
    }  # fmt: skip


def release() -> Body:
    """Tell what was offered, once the restrictions are accepted (46(4))."""
    return {
        "content": CONTENT,
        "why_useful": "Os pagamentos foram feitos em Cantera, que pode investigá-los.",
        "reliability": "B", "accuracy": "2",
        "subject_persons": [
            {"role": "SUSPECT", "name": "Funcionário aduaneiro, nome desconhecido"},
            {"role": "OTHER", "name": "Julián Prado (fictional)"},
        ],
        "feedback_wanted": True,
        "suggested_request": "Extratos da conta da sociedade.",
        "handling": {"disclosure": "TLP:AMBER+STRICT", "use": RESTRICTIONS},
    }  # fmt: skip


def inquiry(tip: str) -> Body:
    """Ask the financial intelligence unit, informally, whether a request is worth while (48)."""
    return sending(
        TOLD, "CT-2026-0088",
        legal_basis=[{"instrument": "UNCAC", "article": "58", "primary": True}],
        channel="FIU_NETWORK", transmission_effect="COURTESY",
        handling={"disclosure": "TLP:AMBER", "use": ["U1"]},
        language="es", **_courtesy("pt", "3d"),
        related_requests=[{"reference": "AAC-2026-0007", "case": tip}],
        network="FIU",
        questions=["¿Tiene la sociedad cuenta con ustedes, y quién es su titular real?"],
        identifiers=[_COMPANY],
        domestic_purpose="Decidir si conviene una solicitud formal.",
        predicate_offence="16-1", stage="INQUIRY",
        intended_use=["U1"], not_for_evidence=True,
    )  # fmt: skip


def formal(asked: str) -> Body:
    """Ask formally for what the answer may not be used as: evidence (46(3)(f))."""
    return request(
        TOLD, "CT-2026-0101",
        language="es", translation_status="SWORN_OR_CERTIFIED",
        translations=[{
            "language": "pt", "translator": "Traductor jurado 30 (fictional)",
            "status": "certified", "date": "2025-10-04", "sha256": "18" * 32,
        }],
        related_requests=[{"reference": "CT-2026-0088", "case": asked}],
        subject_matter=f"Cohecho en la aduana del puerto de Cantera ({FICTIONAL})",
        confidentiality_reason="Los investigados no saben de la investigación.",
        offences=[{
            "code": "16-1", "provision": "Artículo 445 del Código Penal (fictional)",
            "text": "Quien ofrece un beneficio indebido a un funcionario extranjero es castigado.",
            "penalty_max": "Seis años de prisión",
            "conduct": ["Una sociedad", "pagó", "a un funcionario extranjero"],
        }],
        dual_criminality_note="El cohecho está tipificado en ambos Estados.",
        facts_summary="En 2024 una sociedad de Marazul pagó a un aduanero de Cantera.",
        nexus="Los pagos salieron de esta cuenta.",
        persons=[{"role": "ACCOUNT_HOLDER", "name": _COMPANY, "nationality": "QP"}],
        items=[{
            "no": "1", "assistance": "46-3-f", "coercive": True,
            "description": "Aportar los extractos de la cuenta.",
            "purpose": "Probar los pagos en juicio.", "form_of_evidence": ["CERTIFIED_COPY"],
        }],
        accounts=[{
            "institution": "Banco Demo (fictional)", "number": "QP00-DEMO-0606",
            "holder": _COMPANY,
        }],
        records_from="2024-01-01", records_to="2024-12-31",
        document_types=["OPENING_FILE", "BENEFICIAL_OWNER", "STATEMENTS"],
        no_customer_notice=True,
    )  # fmt: skip
