"""Good requests of every kind between fictional States, to send, or to spoil in one place.

    body = good_request("MLA_BANK_RECORDS")
    body["items"][0].pop("purpose")

Aldoria QM (en), Sahelle QN (fr), Marazul QP (pt), Kibaru QR (sw, en), Nuriya QS (ar) and
Cantera QT (es) do not exist, nor does anybody named here; money is in XTS. Nothing warns
about a good request to an authority that wants what `WANTED` says. Each call gives a body of
its own. Only literals: this module knows no code that it could agree with by mistake.
"""

from __future__ import annotations

import copy
from typing import Any, Final

Body = dict[str, Any]

SENDING: Final[Body] = {
    "own_ref": "QM-2030-0147",
    "legal_basis": [{"instrument": "UNCAC", "article": "46", "primary": True}],
    "channel": "CENTRAL_AUTHORITY_DIRECT",
    "transmission_effect": "ADVANCE",
    "urgency": "ROUTINE",
    "language": "en",
    "translation_status": "SOURCE_IS_ACCEPTED_LANGUAGE",
    "handling": {"disclosure": "TLP:AMBER", "use": ["U4"]},
    "requesting_authority": {
        "name": "Prosecution Service of Aldoria (fictional)",
        "official": "Ada Merrow",
        "function": "Head of the unit for international cooperation",
        "email": "mla@prosecution.aldoria.example",
        "country": "QM",
    },
    "signatories": [
        {"name": "ada.merrow", "role": "central-authority-officer"},
        {"name": "tobin.ashe", "role": "approver"},
    ],
}

REQUEST: Final[Body] = {
    **SENDING,
    "second_contact": {
        "name": "Duty desk, Prosecution Service of Aldoria (fictional)",
        "email": "duty@prosecution.aldoria.example",
    },
    "conducting_authority": {
        "name": "Special Prosecutor for Public Works (fictional)",
        "functions": "Leads investigations and brings charges before the criminal courts",
    },
    "subject_matter": "Investigation of bribes paid for a road contract",
    "stage": "INVESTIGATION",
    "proceedings_instituted": False,
    "offences": [
        {
            "code": "15-b",
            "provision": "Section 12 of the Public Integrity Act (fictional)",
            "text": "A public official who accepts an undue advantage commits an offence.",
            "penalty_max": "Seven years of imprisonment",
            "conduct": ["A public official", "accepted money", "to award a contract"],
        }
    ],
    "dual_criminality_note": "Accepting a bribe is an offence in both States.",
    "facts_summary": "In 2021 an official awarded a contract and was paid for it by the builder.",
    "persons": [
        {
            "role": "SUSPECT",
            "name": "Joren Vask",
            "nationality": "QM",
            "birth_date": "1970-02-03",
            "location": "Port Aldor",
        }
    ],
    "confidentiality_requested": True,
    "confidentiality_reason": "The suspect does not know of the investigation.",
    "target_notification": "NOT_ALLOWED",
    "undertakings": {"use_limitation": True},
}


def _assisted(assistance: str, *, coercive: bool, description: str) -> Body:
    return {
        **REQUEST,
        "nexus": "The money went to the place that is named here.",
        "items": [
            {
                "no": 1,
                "assistance": assistance,
                "coercive": coercive,
                "description": description,
                "purpose": "To prove the payment and its purpose at trial.",
            }
        ],
    }


_PROPERTY: Final = [
    {
        "type": "ACCOUNT",
        "identifier": "QP00-DEMO-0001",
        "location": "Banco Demo, Marazul (fictional)",
        "value": "4200000.00",
        "currency": "XTS",
        "owner": "Lumen Obras Lda (fictional)",
    }
]
_ORDER: Final = [{"title": "Order of the High Court of Aldoria (fictional)", "date": "2030-01-10"}]
_ARTICLE_44: Final = [{"instrument": "UNCAC", "article": "44", "primary": True}]
_SOUGHT: Final = [
    {
        "role": "SOUGHT_PERSON",
        "name": "Joren Vask",
        "nationality": "QT",
        "location": "Kibaru City",
    }
]

_KINDS: Final[dict[str, Body]] = {
    "MLA_EVIDENCE": {
        **_assisted("46-3-a", coercive=False, description="Hear the witness."),
        "hearing": {
            "persons": ["Lior Benna"],
            "capacity": "WITNESS",
            "questions": ["1. Who signed the contract?", "2. Who was paid?"],
        },
    },
    "MLA_SERVICE": {
        **_assisted("46-3-b", coercive=False, description="Serve the summons."),
        "documents": [{"title": "Summons", "pages": 2, "language": "en"}],
        "addressee": "Lior Benna",
        "addressee_address": "4 Harbour Road, Marazul (fictional)",
        "serve_by": "2039-03-01",
        "hearing_date": "2039-05-01",
        "service_mode": "PERSONAL",
        "non_appearance": "The witness may be fined.",
        "proof_of_service": "Date, place and manner, signed by who served it",
    },
    "MLA_SEARCH_SEIZURE": {
        **_assisted("46-3-c", coercive=True, description="Search the office."),
        "premises": ["Second floor, 9 Quay Street, Marazul (fictional)"],
        "things_sought": "Contract files and the ledger of 2021",
        "grounds_to_believe": "A former clerk saw the ledger there in 2029.",
        "privileged": "Letters to counsel are sealed unread.",
        "devices_included": False,
    },
    "MLA_BANK_RECORDS": {
        **_assisted("46-3-f", coercive=True, description="Produce the account's records."),
        "accounts": [
            {"institution": "Banco Demo (fictional)", "number": "QP00-DEMO-0001",
             "holder": "Lumen Obras Lda (fictional)"}
        ],
        "records_from": "2021-01-01",
        "records_to": "2022-12-31",
        "document_types": ["OPENING_FILE", "BENEFICIAL_OWNER", "STATEMENTS"],
        "no_customer_notice": True,
    },
    "MLA_VIDEO_HEARING": {
        **_assisted("46-3-a", coercive=False, description="Let the witness be heard by video."),
        "hearing": {
            "dates": ["2039-05-02T09:00Z", "2039-05-03T09:00Z"],
            "reason_not_in_person": "The witness cannot travel.",
            "conducted_by": "The trial court of Nuriya (fictional)",
            "oath": "The oath in the form of the requesting State, or an affirmation",
            "interpreter": "Arabic and French",
            "identity_check": "Passport, seen by an official in the room",
            "technical": "2 Mbit/s at least, telephone as a fallback",
            "test_call": "2039-04-20",
            "recording": "Sound and film, and minutes",
        },
    },
    "MLA_DETAINED_TRANSFER": {
        **_assisted("46-3-h", coercive=False, description="Transfer the witness for the trial."),
        "sentence_end": "2041-06-30",
        "consent": [{"title": "Written consent after advice by counsel", "date": "2030-01-15"}],
        "escort": "Two officers of the sending State",
        "custody_terms": "Held in custody throughout; the time counts towards the sentence.",
        "return_due": "2039-06-30",
        "immunity": True,
    },
    "MLA_APPEARANCE": {
        **_assisted("46-3-h", coercive=False, description="Invite the expert."),
        "appearance": {
            "date": "2039-05-02",
            "place": "High Court of Aldoria (fictional)",
            "expenses": "Travel and lodging are paid in advance.",
            "safe_conduct": True,
            "voluntary": True,
        },
    },
    "FREEZING": {
        **_assisted("46-3-j", coercive=True, description="Freeze the account."),
        "freezing_basis": "54-2-a",
        "order": _ORDER,
        "property": _PROPERTY,
        "property_link": "The bribe was paid into the account.",
        "period_sought": "Until the confiscation order is final",
        "next_step": "Confiscation hearing in the autumn",
    },
    "CONFISCATION": {
        **_assisted("46-3-k", coercive=True, description="Enforce the confiscation order."),
        "confiscation_mode": "54-1-a",
        "order": _ORDER,
        "order_final": True,
        "order_extent": "The whole balance",
        "third_parties_notice": "The tenant was notified and heard.",
        "property": _PROPERTY,
        "return_basis": "57-3-a",
    },
    "PRESERVATION": {
        **SENDING,
        "legal_basis": [{"instrument": "BUDAPEST", "article": "29", "primary": True}],
        "channel": "TWENTYFOUR_SEVEN",
        "urgency": "URGENT",
        "urgency_reason": "RETENTION",
        "duty_contact": {"name": "24/7 desk of Kibaru (fictional)", "email": "duty@kibaru.example"},
        "preservation": {"request": "NEW"},
        "offences": [{"code": "17"}],
        "facts_summary": "Public funds were diverted; the orders went by e-mail.",
        "stored": "The mailbox in which the orders were given",
        "custodian": "Barid Demo (fictional)",
        "identifiers": ["mailbox d.amari@barid.example"],
        "necessity": "The provider deletes logs after thirty days.",
        "intends_request": True,
        "duration_days": 90,
        "confidentiality_requested": True,
    },
    "EXTRADITION": {
        **REQUEST,
        "legal_basis": _ARTICLE_44,
        "persons": _SOUGHT,
        "extradition_purpose": "TRIAL",
        "warrant": [{"title": "Warrant of arrest (fictional)", "date": "2030-01-10"}],
        "limitation_statement": "Time-barred in 2045",
        "evidence_standard": "Two witnesses and the bank's records make a prima facie case.",
        "in_absentia": False,
        "death_penalty_possible": False,
        "specialty": True,
    },
    "PROVISIONAL_ARREST": {
        **SENDING,
        "legal_basis": [{"instrument": "SADC_EXTRADITION_2002", "article": "10", "primary": True}],
        "urgency": "URGENT",
        "urgency_reason": "FLIGHT",
        "duty_contact": {"name": "Duty desk (fictional)", "email": "duty@cantera.example"},
        "subject_matter": "Prosecution for embezzlement",
        "persons": _SOUGHT,
        "warrant_statement": "A warrant of arrest of 10 January 2030 is in force.",
        "offences": [{"code": "17", "penalty_max": "Ten years of imprisonment"}],
        "facts_summary": "An official moved public funds to a company of his own.",
        "urgency_grounds": "A ticket was bought for tomorrow.",
        "intends_extradition": True,
        "treaty_limit_days": 30,
        "confidentiality_requested": True,
    },
    "TRANSFER_PROCEEDINGS": {
        **REQUEST,
        "transfer_reason": "The person is a national of the requested State.",
        "after_refusal": True,
        "refused_request": "QT-2030-0031",
        "file_list": [{"title": "Investigation file, volumes 1 to 3", "pages": 840}],
        "evidence_state": "Complete but for one expert report",
        "own_proceedings": "Suspended once the other State has begun its own",
    },
    "TRANSFER_SENTENCED": {
        **REQUEST,
        "judgment": [{"title": "Judgment of the High Court (fictional)", "date": "2029-11-02"}],
        "sentence_remaining": "Three years and two months",
        "person_consent": [{"title": "Written consent", "date": "2030-01-15"}],
        "ties": "Family and work in the requested State",
        "enforcement": "The sentence is continued as it is.",
    },
    "SPECIAL_TECHNIQUE": {
        **_assisted("46-3-i", coercive=True, description="Let the delivery pass under watch."),
        "technique": "CONTROLLED_DELIVERY",
        "delivery_method": "Let it pass intact",
        "agreement": "Agreed for this case by letters of January 2030",
        "period": "One week in March",
        "risk_plan": "Seized at once if it leaves the route",
    },
    "JOINT_INVESTIGATION": {
        **SENDING,
        "legal_basis": [{"instrument": "UNCAC", "article": "49", "primary": True}],
        "subject_matter": "Bribes for a road contract in both States",
        "conducting_authority": REQUEST["conducting_authority"],
        "facts_summary": "One company paid officials in both States.",
    },
    "SPONTANEOUS": {
        **SENDING,
        "legal_basis": [{"instrument": "UNCAC", "article": "46(4)", "primary": True}],
        "handling": {"disclosure": "TLP:AMBER+STRICT", "use": ["U1", "U2"]},
        "restrictions": ["U1", "U2"],
        "subject_class": "PERSON",
        "obtained_by": "OWN_INVESTIGATION",
    },
    "INFORMAL_INQUIRY": {
        **SENDING,
        "legal_basis": [{"instrument": "GLOBE", "primary": True}],
        "channel": "POLICE_LIAISON",
        "transmission_effect": "COURTESY",
        "handling": {"disclosure": "TLP:AMBER", "use": ["U1"]},
        "network": "ANTI_CORRUPTION",
        "questions": ["Is the company registered with you, and who owns it?"],
        "identifiers": ["Lumen Obras Lda (fictional)"],
        "domestic_purpose": "To decide whether a formal request is worth while",
        "intended_use": ["U1"],
        "not_for_evidence": True,
    },
    "CONSULTATION": {
        **SENDING,
        "transmission_effect": "COURTESY",
        "intended_kind": "MLA_BANK_RECORDS",
        "question": "Would this request be complete for you?",
        "comments_by": "2039-03-01",
    },
}  # fmt: skip

KINDS: Final = tuple(_KINDS)
"""Every kind that there is a good request of."""

WANTED: Final[dict[str, Any]] = {
    "languages": ("pt", "en"),
    "declarations": {
        "country": "QP",
        "accepts_electronic": True,
        "uncac_44_6": "yes",
        "minimum_value": {"amount": "5000.00", "currency": "XTS"},
        "extradites_nationals": False,
    },
}
"""What Marazul wants, as its listing says it."""


def good_request(kind: str) -> Body:
    """Give the body of a request that nothing is missing in."""
    body: Body = copy.deepcopy({"request_kind": kind, **_KINDS[kind]})
    if kind == "CONSULTATION":
        body["draft"] = good_request("MLA_BANK_RECORDS")
    return body


# --- to spoil one ----------------------------------------------------------------------------

GONE: Final = object()
"""As a new value: take the field away."""


def changed(body: Body, changes: dict[str, Any]) -> Body:
    """Give a copy of a body with other values at some paths, such as `items[0].purpose`."""
    other = copy.deepcopy(body)
    for path, value in changes.items():
        where: Any = other
        *above, last = [
            int(one) if one.isdigit() else one
            for one in path.replace("[", ".").replace("]", "").split(".")
        ]
        for step in above:
            where = where.setdefault(step, {}) if isinstance(where, dict) else where[step]
        if value is GONE:
            del where[last]
        else:
            where[last] = value
    return other
