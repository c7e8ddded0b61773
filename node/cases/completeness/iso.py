"""Codes of countries, languages and currencies, as standards bodies assign them.

ISO 3166-1 alpha-2 (with QM to QZ, which users may assign and the demonstration does), the
form of BCP 47 tags, ISO 4217 with the number of decimal places, and the check digits of
ISO 13616 (IBAN). Only forms: whether a State, an account or an amount exists is not known
here, nor anything of requests.
"""

from __future__ import annotations

import re
from typing import Final

_STATES: Final = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ
    BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM
    DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS
    GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN
    KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ
    MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM
    PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV
    SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI
    VN VU WF WS YE YT ZA ZM ZW QM QN QO QP QQ QR QS QT QU QV QW QX QY QZ
    """
COUNTRIES: Final = frozenset(_STATES.split())
"""ISO 3166-1, and the part of its user-assigned codes that nobody uses for a real State."""

_TWO_PLACES: Final = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD
    CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
    GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD
    MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP
    PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS
    TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
    XTS
    """
_NO_PLACES: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE_PLACES: Final = "BHD IQD JOD KWD LYD OMR TND"

CURRENCIES: Final[dict[str, int]] = {
    **dict.fromkeys(_TWO_PLACES.split(), 2),
    **dict.fromkeys(_NO_PLACES.split(), 0),
    **dict.fromkeys(_THREE_PLACES.split(), 3),
}
"""ISO 4217: the code and how many decimal places its amounts have. XTS is for tests."""

LANGUAGE: Final = re.compile(
    r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?(-[a-z0-9]{5,8})*", re.ASCII
)
"""BCP 47 in its usual case: a language, perhaps a script, a region, variants."""

DIGEST: Final = re.compile(r"[0-9a-f]{64}")
BIC: Final = re.compile(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?")
EMAIL: Final = re.compile(r"[^\s@<>\x00-\x1f\x7f]{1,64}@[A-Za-z0-9.-]{1,255}")
_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_REMAINDER: Final = 97


def same_language(one: str, other: str) -> bool:
    """Say whether two tags name one language, whatever the script, region or variant."""
    return one.partition("-")[0].lower() == other.partition("-")[0].lower()


def looks_like_iban(text: str) -> bool:
    """Say whether a number was probably meant as an IBAN: a State, two digits, many more."""
    compact = text.replace(" ", "")
    return _IBAN.fullmatch(compact) is not None and compact[:2] in COUNTRIES


def iban_fault(text: str) -> str | None:
    """Say in a code what is wrong with an IBAN, or None: its form, then its check digits."""
    compact = text.replace(" ", "")
    if _IBAN.fullmatch(compact) is None:
        return "iban-form"
    turned = compact[4:] + compact[:4]
    number = "".join(str(int(one, 36)) for one in turned)
    return None if int(number) % _REMAINDER == 1 else "iban-check-digits"
