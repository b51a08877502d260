"""What a request may say about how its files are written, for where the files themselves leave it open.

Pure: no framework.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from shared.messages import Kind


class DateOrder(StrEnum):
    """The order of year, month and day in a file's dates."""

    YMD = "ymd"
    DMY = "dmy"
    MDY = "mdy"


_COMMA_LANGUAGES = frozenset(
    [
        "af",
        "az",
        "be",
        "bg",
        "bs",
        "ca",
        "cs",
        "da",
        "de",
        "el",
        "es",
        "et",
        "eu",
        "fi",
        "fr",
        "gl",
        "hr",
        "hu",
        "hy",
        "id",
        "is",
        "it",
        "ka",
        "kk",
        "ky",
        "lt",
        "lv",
        "mk",
        "nb",
        "nl",
        "nn",
        "no",
        "pl",
        "pt",
        "ro",
        "ru",
        "sk",
        "sl",
        "sq",
        "sr",
        "sv",
        "tr",
        "uk",
        "uz",
        "vi",
    ],
)
_POINT_LANGUAGES = frozenset(
    [
        "am",
        "ar",
        "bn",
        "cy",
        "en",
        "fa",
        "fil",
        "ga",
        "gu",
        "he",
        "hi",
        "ja",
        "km",
        "kn",
        "ko",
        "lo",
        "ml",
        "mr",
        "ms",
        "my",
        "ne",
        "pa",
        "si",
        "sw",
        "ta",
        "te",
        "th",
        "ur",
        "zh",
    ]
)
_EXCEPTIONS = {
    ("en", "za"): True,
    ("de", "ch"): False,
    ("de", "li"): False,
    ("it", "ch"): False,
    **{("es", region): False for region in ("mx", "us", "pr", "do", "gt", "hn", "ni", "pa", "pe", "sv")},
}


class OptionError(ValueError):
    """An option that says nothing we understand; the message names what would be understood."""


@dataclass(frozen=True)
class ReadingOptions:
    """How a file is to be read; None where the file itself shall tell."""

    kind: Kind | None = None
    encoding: str | None = None
    locale: str | None = None
    date_order: str | None = None

    def __post_init__(self) -> None:
        """Raise `OptionError` for what cannot be understood, before any file is looked at."""
        if self.encoding is not None and not is_text_encoding(self.encoding):
            raise OptionError(
                f"encoding={self.encoding} is no text encoding we know. Known are for instance windows-1252, "
                "iso-8859-15, utf-16 and shift_jis.",
            )
        if self.locale is not None:
            decimal_comma(self.locale)
        if self.date_order is not None and self.date_order not in set(DateOrder):
            raise OptionError(f"date_order={self.date_order} is none of {', '.join(DateOrder)}.")

    def said(self) -> list[str]:
        """Return what was said, beside the kind, as it goes into an upload's id."""
        said = {"encoding": self.encoding, "locale": self.locale, "date_order": self.date_order}
        return [f"{name}={value}" for name, value in said.items() if value is not None]


def is_text_encoding(name: str) -> bool:
    """Tell whether Python knows the name as that of a text encoding."""
    try:
        # Of no bytes at all Python makes no text, whatever the name.
        b"-".decode(name, "replace")
    except (LookupError, ValueError):
        return False
    return True


def decimal_comma(locale: str) -> bool:
    """Tell whether a locale writes 1.234,56 rather than 1,234.56; raises `OptionError` for one we do not know."""
    language, *rest = re.split(r"[-_]", locale.strip().casefold())
    if language in {"comma", "point"}:
        return language == "comma"
    for part in rest:
        if (language, part) in _EXCEPTIONS:
            return _EXCEPTIONS[language, part]
    if language in _COMMA_LANGUAGES:
        return True
    if language in _POINT_LANGUAGES:
        return False
    raise OptionError(
        f"locale={locale} is not known. Say point (1,234.56) or comma (1.234,56), or a language such as en or pt-BR.",
    )
