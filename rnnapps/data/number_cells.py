"""What number a cell of a table holds: decimals, marks between thousands, units, and what means that it is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

__all__ = [
    "MISSING",
    "columns_with_units",
    "has_decimal_comma",
    "may_be_thousands",
    "other_mark",
    "read_number",
    "without_unit",
]

MISSING = (
    *("", "-", "--", "---", "?", "NA", "N/A", "na", "n/a", "<NA>", "NaN", "nan", "NAN", "Nan", "NaT"),
    *("null", "NULL", "Null", "None", "none", "NONE", "undefined"),
    *("#N/A", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!"),
)
"""Cells that mean: not measured; the last ones are what spreadsheets write where a formula has no value."""

# Digits are never given back (++): else thousands of them before another character are split in every way there is.
_COMMA = re.compile(r"[+-]?\d*+,\d++([eE][+-]?\d++)?")
_WHOLE = re.compile(r"[+-]?\d++([eE][+-]?\d++)?")
_POINT = re.compile(r"[+-]?(\d++\.?\d*+|\.\d++)([eE][+-]?\d++)?")
_THOUSANDS = {
    ".": re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?"),
    ",": re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d*)?"),
}
"""Numbers with marks between their thousands, by the decimal character."""
_GAP = "[ \u00a0\u202f\u2009'\u2019]"
"""Spaces of any width, and apostrophes: marks between thousands that are never those of decimals."""
_GAPPED = re.compile(rf"([+-]?[1-9]\d{{0,2}})((?:{_GAP}\d{{3}})++)([.,]\d*+)?")
_BRACKETED = re.compile(r"\(([^()]++)\)")
"""A negative number, as accounts have it."""
MINUS = "\u2212"
_SIGN = rf"[+{MINUS}-]?"
_FIGURE = rf"({_SIGN}[1-9]\d{{0,2}}(?:{_GAP}\d{{3}})++(?:[.,]\d++)?|{_SIGN}[\d.,]*\d(?:[eE][+-]?\d+)?)"
_UNIT_BEHIND = re.compile(_FIGURE + r"\s*((?![AaPp]\.?[Mm])[^\W\d_][^\s:]{0,14}|[%‰°$€£¥₹₩][^\s:]{0,14})")
_CODES = "AUD|BRL|CAD|CHF|CNY|CZK|DKK|EUR|GBP|HKD|HUF|INR|JPY|KRW|MXN|NOK|NZD|PLN|Rs|SEK|SGD|TRY|USD|ZAR"
_UNIT_BEFORE = re.compile(rf"((?:US|A|C|NZ|HK|R)?[$€£¥₹₩]|{_CODES})\s*" + _FIGURE)
"""Numbers with a unit that is no part of a time: 100 kW, 21.5°C, 45%, $3, EUR 3."""


def read_number(text: str, decimal: str, *, missing: Sequence[str] = ()) -> float | None:
    """The number a cell holds, NaN for a missing one, None where it is none.

    Args:
        text: the cell.
        decimal: decimal character.
        missing: cells that mean "not measured", beside `MISSING`; a number means all ways to write it.
    """
    text = text.strip()
    if text in MISSING or text in missing:
        return float("nan")
    number = _plain_number(text, decimal)
    if number is not None and any(_plain_number(token, ".") == number for token in missing):
        return float("nan")
    return number


def _plain_number(text: str, decimal: str) -> float | None:
    """The number of a cell that is not missing, None where it is none."""
    pattern = _COMMA if decimal == "," else _POINT
    if pattern.fullmatch(text) or _WHOLE.fullmatch(text):
        return float(text.replace(",", "."))
    if _THOUSANDS[decimal].fullmatch(text):
        return float(text.replace(other_mark(decimal), "").replace(",", "."))
    plain = _in_plain_signs(text)
    return None if plain == text else _plain_number(plain, decimal)


def _in_plain_signs(text: str) -> str:
    """A number without spaces between thousands, with a plain minus for one of typesetters or for brackets."""
    if bracketed := _BRACKETED.fullmatch(text):
        inner = bracketed[1].strip()
        return f"-{inner}" if inner[:1].isdigit() else text
    if text.startswith(MINUS):
        return f"-{text[1:]}"
    gapped = _GAPPED.fullmatch(text)
    return f"{gapped[1]}{re.sub(_GAP, '', gapped[2])}{gapped[3] or ''}" if gapped else text


def without_unit(cell: str, unit: str) -> str:
    """A cell without the unit of its column, before or behind its number; the sign before it stays."""
    cell = cell.strip()
    if not unit or cell == unit:
        return cell
    sign, plain = _signed(cell)
    return sign + plain.removeprefix(unit).removesuffix(unit).strip()


def _signed(cell: str) -> tuple[str, str]:
    """A minus that stands before a unit, or that brackets around number and unit mean; and the rest."""
    if bracketed := _BRACKETED.fullmatch(cell):
        return "-", bracketed[1].strip()
    before = cell[:1] in ("-", MINUS) and not cell[1:2].isdigit()
    return ("-", cell[1:].strip()) if before else ("", cell)


def columns_with_units(
    names: Sequence[str], sample: Sequence[Sequence[str]], missing: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Columns whose cells are numbers with a unit, which is the same in all of them.

    Args:
        names: the columns.
        sample: the first rows.
        missing: cells that mean "not measured", beside `MISSING`.
    """
    for column, name in enumerate(names):
        present = [cell for row in sample for cell in [row[column].strip()] if cell not in (*MISSING, *missing)]
        units = {_unit(cell) for cell in present}
        unit = units.pop() if len(units) == 1 else ""
        if unit:
            yield name, unit


def _unit(cell: str) -> str:
    """The unit of a cell that holds a number with one; "" for any other."""
    if _is_number(cell):  # the exponent of 1e5 is no unit
        return ""
    _, plain = _signed(cell)
    behind, before = _UNIT_BEHIND.fullmatch(plain), _UNIT_BEFORE.fullmatch(plain)
    unit, figure = (behind[2], behind[1]) if behind else (before[1], before[2]) if before else ("", "")
    return unit if _is_number(figure) else ""


def _is_number(text: str) -> bool:
    """Whether a text is a number with either decimal character."""
    return any(read_number(text, decimal) is not None for decimal in ".,")


def other_mark(decimal: str) -> str:
    """The character that marks thousands where another one marks decimals."""
    return "," if decimal == "." else "."


def may_be_thousands(cells: Sequence[str], decimal: str) -> bool:
    """Whether all numbers that hold the decimal character may as well hold it between thousands, as 1.234 does."""
    marked = [cell.strip() for cell in cells if decimal in cell]
    pattern = _THOUSANDS[other_mark(decimal)]
    return bool(marked) and all(pattern.fullmatch(cell) and other_mark(decimal) not in cell for cell in marked)


def has_decimal_comma(cell: str) -> bool:
    """Whether a cell holds a number with a comma that cannot be one between thousands of a number with a point."""
    plain = _in_plain_signs(cell)
    both = "," in plain and _THOUSANDS[","].fullmatch(plain) is not None
    return both or _COMMA.fullmatch(plain) is not None
