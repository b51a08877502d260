"""How currencies are written beside amounts, and which of them say for certain what they are.

Pure: regular expressions of RE2, and sets.
"""

import re
from collections.abc import Iterable

CODES = frozenset(
    [
        "AED",
        "AFN",
        "ALL",
        "AMD",
        "AOA",
        "ARS",
        "AUD",
        "AWG",
        "AZN",
        "BAM",
        "BBD",
        "BDT",
        "BGN",
        "BHD",
        "BIF",
        "BMD",
        "BND",
        "BOB",
        "BRL",
        "BSD",
        "BTN",
        "BWP",
        "BYN",
        "BZD",
        "CAD",
        "CDF",
        "CHF",
        "CLP",
        "CNY",
        "COP",
        "CRC",
        "CUP",
        "CVE",
        "CZK",
        "DJF",
        "DKK",
        "DOP",
        "DZD",
        "EGP",
        "ERN",
        "ETB",
        "EUR",
        "FJD",
        "FKP",
        "GBP",
        "GEL",
        "GHS",
        "GIP",
        "GMD",
        "GNF",
        "GTQ",
        "GYD",
        "HKD",
        "HNL",
        "HTG",
        "HUF",
        "IDR",
        "ILS",
        "INR",
        "IQD",
        "IRR",
        "ISK",
        "JMD",
        "JOD",
        "JPY",
        "KES",
        "KGS",
        "KHR",
        "KMF",
        "KPW",
        "KRW",
        "KWD",
        "KYD",
        "KZT",
        "LAK",
        "LBP",
        "LKR",
        "LRD",
        "LSL",
        "LYD",
        "MAD",
        "MDL",
        "MGA",
        "MKD",
        "MMK",
        "MNT",
        "MOP",
        "MRU",
        "MUR",
        "MVR",
        "MWK",
        "MXN",
        "MYR",
        "MZN",
        "NAD",
        "NGN",
        "NIO",
        "NOK",
        "NPR",
        "NZD",
        "OMR",
        "PAB",
        "PEN",
        "PGK",
        "PHP",
        "PKR",
        "PLN",
        "PYG",
        "QAR",
        "RON",
        "RSD",
        "RUB",
        "RWF",
        "SAR",
        "SBD",
        "SCR",
        "SDG",
        "SEK",
        "SGD",
        "SHP",
        "SLE",
        "SOS",
        "SRD",
        "SSP",
        "STN",
        "SVC",
        "SYP",
        "SZL",
        "THB",
        "TJS",
        "TMT",
        "TND",
        "TOP",
        "TRY",
        "TTD",
        "TWD",
        "TZS",
        "UAH",
        "UGX",
        "USD",
        "UYU",
        "UZS",
        "VES",
        "VND",
        "VUV",
        "WST",
        "XAF",
        "XCD",
        "XOF",
        "XPF",
        "YER",
        "ZAR",
        "ZMW",
        "ZWG",
    ],
)

_SIGNS = {
    "US$": "USD",
    "R$": "BRL",
    "A$": "AUD",
    "AU$": "AUD",
    "CA$": "CAD",
    "C$": "CAD",
    "NZ$": "NZD",
    "HK$": "HKD",
    "NT$": "TWD",
    "MX$": "MXN",
    "S$": "SGD",
    "€": "EUR",
    "£": "GBP",
    "₹": "INR",
    "₩": "KRW",
    "₫": "VND",
    "₱": "PHP",
    "₪": "ILS",
    "₺": "TRY",
    "₽": "RUB",
    "₴": "UAH",
    "฿": "THB",
    "Rs": "INR",
    "zł": "PLN",
    "Kč": "CZK",
}
_VAGUE = {
    "$": frozenset(["USD", "AUD", "CAD", "NZD", "HKD", "SGD", "TWD", "MXN", "ARS", "CLP", "COP"]),
    "¥": frozenset({"JPY", "CNY"}),
    "Rs": frozenset({"INR", "PKR", "LKR", "NPR", "MUR"}),
    "kr": frozenset({"SEK", "NOK", "DKK", "ISK"}),
}

SIGN = (
    "(?:"
    + "|".join(
        re.escape(sign)
        for sign in sorted([*(sign for sign in _SIGNS if sign not in _VAGUE), "$", "¥"], key=len, reverse=True)
    )
    + r"|(?:Rs|kr)\.?|"
    + "|".join(sorted(CODES))
    + ")"
)
"""What may stand before or after an amount."""


def certain(sign: str) -> str | None:
    """Return the ISO 4217 code that a sign or a code stands for; None where it may be several.

    `Rs.` is taken for Indian rupees unless the file says other ones: Amazon writes them so, and sells in no others.
    """
    return sign if sign in CODES else _SIGNS.get(sign.rstrip("."))


def conflicts(code: str, sign: str) -> bool:
    """Tell whether an amount with this sign cannot be in that currency."""
    meant = certain(sign)
    return code not in _VAGUE.get(sign.rstrip("."), frozenset({meant}))


def clash(signs: Iterable[str]) -> tuple[str, str] | None:
    """Return two of the signs and codes that cannot be of one currency, None where all can."""
    found = sorted({sign.rstrip(".") for sign in signs})
    for first in found:
        for second in found:
            code = certain(first)
            if first != second and (conflicts(code, second) if code else certain(second) is None):
                return first, second
    return None
