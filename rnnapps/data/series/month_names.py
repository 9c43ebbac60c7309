"""Names of months in other languages than English, as far as one can only mean one month."""

from __future__ import annotations

import re

import pandas as pd

__all__ = ["in_english", "names_of_months"]

_NAMES = (
    "januar january janvier januari enero gennaio janeiro janv jän jänner ene gen styczeń stycznia ocak",
    "februar february février fevrier februari febrero febbraio fevereiro févr fév fevr fev feber lutego luty şubat",
    "märz march mars maart marzo março marco mär maerz mrz mrt marca marzec mart",
    "april avril aprile abril avr abr kwietnia kwiecień nisan",
    "mai may mayo maggio maio mei maj mag maja mayıs",
    "juni june juin junio giugno junho giu czerwca czerwiec haziran",
    "juli july juillet julio luglio julho juil lug lipca lipiec temmuz",
    "august août aout agosto augusti augustus ago sierpnia sierpień ağustos",
    "september septembre septiembre settembre setembro sept set września wrzesień eylül",
    "oktober october octobre octubre ottobre outubro okt ott out października październik ekim",
    "november novembre noviembre novembro listopada kasım",
    "dezember december décembre decembre diciembre dicembre dezembro dez déc dic grudnia grudzień aralık",
)
"""Of each month: German, French, Dutch, Spanish, Italian, Portuguese, Swedish, Danish, Norwegian, Polish, Turkish.

Left out is what another of the larger languages uses for another month, such as "listopad" (October or November).
"""

_ENGLISH = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_MONTHS = {name: english for names, english in zip(_NAMES, _ENGLISH, strict=True) for name in names.split()}
_FOREIGN = {name: english for name, english in _MONTHS.items() if name not in map(str.lower, _ENGLISH)}

_LETTER = r"[^\W\d_]"
"""What names of months are made of."""

_ANY = "|".join(sorted(_FOREIGN, key=len, reverse=True))
_WORD = re.compile(rf"(?:\bde )?(?<!{_LETTER})({_ANY})(?!{_LETTER})\.?(?: de\b)?", re.IGNORECASE)
_POINT = re.compile(rf"\b({'|'.join(english for name in _ENGLISH for english in (name, name[:3]))})\.", re.IGNORECASE)
"""English names, which other languages share, with the point of an abbreviation."""


def names_of_months() -> list[list[str]]:
    """The names of each month, English ones of the same letters among them."""
    return [names.split() for names in _NAMES]


def in_english(texts: pd.Series, *, full: bool) -> pd.Series:
    """Texts of times with English names of months; English ones stay as they are.

    Args:
        texts: may have months in other languages, with a point behind them or Spanish "de" around them.
        full: write whole names, not their first three letters.
    """
    first = texts.iloc[0] if len(texts) else ""
    if not re.search(_LETTER, first):
        return texts

    def english(found: re.Match[str]) -> str:
        name = _FOREIGN[found[1].lower()]
        return name if full else name[:3]

    return texts.str.replace(_WORD, english, regex=True).str.replace(_POINT, r"\1", regex=True)
