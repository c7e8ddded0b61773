"""What is written in case 5: a request in Arabic, and replies in French.

Nothing here is a case: States, courts and persons do not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from node.demo.cases.texts import FICTIONAL, Body, request

ASKING: Final = "qs.court"

WITNESS: Final = "Salif Keïta-Demo (fictional)"
OWN_TRIAL: Final = (
    "Le témoin est accusé dans un procès qui s'ouvre ici; l'entendre maintenant gênerait ce procès."
)
TAKEN_NOTE: Final = "المحكمة أخذت علما، وتقبل الانتظار إلى نهاية المحاكمة لديكم."
CONDITIONS: Final = [
    {"no": "1", "text": "La forme de serment demandée n'est pas possible en droit sahélien: le "
     "témoin fait une déclaration solennelle (affirmation)."},
    {"no": "2", "text": "Un juge du tribunal assiste à l'audition et veille au droit de se taire."},
]  # fmt: skip
AFFIRMATION_ACCEPTED: Final = "تقبل المحكمة التصريح الرسمي بدلا من اليمين، وحضور القاضي."
TEST_FAILED: Final = (
    "Essai du premier appel: échec. Débit 190 kbit/s, image figée, son coupé après 4 minutes. "
    "Proposition: image réduite, son seul par téléphone en secours."
)
PLAN: Final = "نوافق على خطة النطاق الضيق: صورة مصغرة، والصوت بالهاتف عند انقطاعها."
TEST_GOOD: Final = (
    "Second essai: bon. Image réduite à 320 lignes, 240 kbit/s, secours téléphonique essayé."
)
HEARD: Final = (
    "Audition tenue de 9 h à 11 h 20; interprète ar-fr dans notre salle; déclaration solennelle "
    "faite; dix minutes au téléphone seul."
)
NO_LONGER_NEEDED: Final = "أقر المتهم بالأفعال المنسوبة إليه، فلم تعد شهادة الشاهد لازمة."
EXECUTING: Final = "Tribunal correctionnel de Sahelle (fictional)"
FEEDBACK: Final = "استخدم المحضر في الجلسة."

FILES: Final[Mapping[str, str]] = {
    "minutes-fr.txt": f"{FICTIONAL}\nProcès-verbal de l'audition par vidéoconférence.\n",
    "minutes-ar.txt": f"{FICTIONAL}\nمحضر الاستماع بالفيديو، ترجمة المترجم.\n",
    "recording.bin": f"{FICTIONAL}: in the place of sound and film\n",
}
"""What comes back: minutes in both languages, and the recording, each by its hash."""


def hearing(*, first: str, second: str, test: str) -> Body:
    """Ask for a witness to be heard by video link (46(18)), on days that are given."""
    return request(
        ASKING, "QS-2026-0093",
        subject_matter=f"دعوى استغلال نفوذ في صفقة ميناء ({FICTIONAL})",
        stage="TRIAL", proceedings_instituted=True,
        proceedings={
            "court": "محكمة الجنايات في نورية، القضية 44 لسنة 2025 (fictional)",
            "next_dates": first,
        },
        urgency="DATED", urgency_reason="HEARING_DATE", deadline=second,
        deadline_reason="الجلسة محددة",
        confidentiality_requested=False, confidentiality_reason="",
        target_notification="ALLOWED",
        language="ar", translation_status="SWORN_OR_CERTIFIED",
        translations=[{
            "language": "fr", "translator": "Traducteur juré 9 (fictional)",
            "status": "certified", "date": "2025-10-02", "sha256": "e5" * 32,
        }],
        offences=[{
            "code": "18-a", "provision": "المادة 128 من قانون العقوبات (fictional)",
            "text": "كل من وعد موظفا بمزية غير مستحقة ليستغل نفوذه يعاقب.",
            "penalty_max": "السجن خمس سنوات",
            "conduct": ["وعد بمزية غير مستحقة", "لموظف عمومي", "ليستغل نفوذه"],
        }],
        dual_criminality_note="استغلال النفوذ معاقب عليه في الدولتين.",
        facts_summary="في سنة 2023 وعد وسيط موظفا في الميناء بمبلغ مقابل التأثير في منح صفقة.",
        nexus="الشاهد كان حاضرا في الاجتماع الذي جرى فيه الوعد.",
        persons=[{"role": "WITNESS", "name": WITNESS, "nationality": "QN"}],
        items=[{
            "no": "1", "assistance": "46-3-a", "coercive": False,
            "description": "الاستماع إلى الشاهد بالفيديو.",
            "purpose": "إثبات الوعد أمام المحكمة.", "form_of_evidence": ["CERTIFIED_COPY"],
        }],
        hearing=_link(first, second, test),
    )  # fmt: skip


def _link(first: str, second: str, test: str) -> Body:
    return {
        "dates": [f"{first}T09:00Z", f"{second}T09:00Z"],
        "reason_not_in_person": "لا يستطيع الشاهد السفر.",
        "conducted_by": "محكمة الجنايات في نورية (fictional)",
        "oath": "اليمين بصيغة قانون نورية",
        "interpreter": "العربية والفرنسية، في قاعة الدولة المطلوب منها",
        "identity_check": "جواز السفر، يطلع عليه موظف في القاعة",
        "technical": "256 kbit/s على الأقل، والهاتف احتياطيا",
        "test_call": test,
        "recording": "صوت وصورة ومحضر",
    }
