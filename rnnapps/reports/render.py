"""Turns the blocks of a report into HTML. Everything that is not markup of this module is escaped."""

from __future__ import annotations

import base64
import html
import math
import re
from collections.abc import Sequence

from rnnapps.contract.sections import (
    Block,
    Details,
    Gallery,
    Paragraph,
    Picture,
    Samples,
    Section,
    ShadedText,
    Sound,
    Table,
    Value,
)
from rnnapps.reports.style import SCRIPT, SHADES, STYLE

__all__ = ["format_value", "label", "render_page"]

_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; media-src data:; "
    "base-uri 'none'; form-action 'none'"
)


def render_page(title: str, lead: str, sections: Sequence[Section]) -> str:
    """A complete HTML document that loads nothing from anywhere.

    Args:
        title: title of the document.
        lead: a line of text below it.
        sections: the content.

    Raises:
        ValueError: two sections have the same title.
    """
    names = [_anchor(section.title) for section in sections]
    if len(set(names)) < len(names):
        raise ValueError(f"section titles must differ, got {[section.title for section in sections]}")
    links = "".join(
        f'<li><a href="#{name}">{_escape(section.title)}</a></li>'
        for name, section in zip(names, sections, strict=True)
    )
    body = "\n".join(_section(name, section) for name, section in zip(names, sections, strict=True))
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<header>\n<h1>{_escape(title)}</h1>\n<p class="lead">{_escape(lead)}</p>\n'
        f'<nav aria-label="Sections"><ul>{links}</ul></nav>\n</header>\n<main>\n{body}\n</main>\n'
        f"<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def format_value(value: Value) -> str:
    """A value as a person reads it: four significant digits, thousands set apart, a dash for nothing."""
    if value is None:
        return "–"
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return "not finite"
    if value != 0 and not 1e-4 <= abs(value) < 1e7:
        return f"{value:.3e}"
    digits = 3 if value == 0 else max(0, 3 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"


def label(name: str) -> str:
    """A metric's or key's name as words: validation_nats_per_character -> validation nats per character."""
    return name.replace("_", " ")


def _section(name: str, section: Section) -> str:
    content = "\n".join(_block(block) for block in section.blocks)
    return f'<section aria-labelledby="{name}">\n<h2 id="{name}">{_escape(section.title)}</h2>\n{content}\n</section>'


def _block(block: Block) -> str:
    """The HTML of one block, whatever its kind."""
    match block:
        case Paragraph(text, verdict):
            return f"<p{_class('verdict' if verdict else '')}>{_escape(text)}</p>"
        case Table():
            return _table(block)
        case Picture():
            return _picture(block)
        case Gallery(pictures):
            return f'<div class="gallery">{"".join(_picture(picture) for picture in pictures)}</div>'
        case Sound(recording, caption, media_type):
            return (
                f'<figure><audio controls preload="none" src="{_data_uri(recording, media_type)}"></audio>'
                f"<figcaption>{_escape(caption)}</figcaption></figure>"
            )
        case Samples(entries):
            return _samples(entries)
        case ShadedText():
            return _shaded(block)
        case Details(summary, blocks):
            content = "\n".join(_block(inner) for inner in blocks)
            return f"<details><summary>{_escape(summary)}</summary>\n{content}\n</details>"


def _table(table: Table) -> str:
    numeric = [any(_is_number(row[column]) for row in table.rows) for column in range(len(table.columns))]
    headings = "".join(
        f'<th scope="col"{_class("number" * numeric[column])}>{_escape(name)}</th>'
        for column, name in enumerate(table.columns)
    )
    rows = "\n".join(_row(number, row, numeric, table) for number, row in enumerate(table.rows))
    caption = f"<caption>{_escape(table.caption)}</caption>" if table.caption else ""
    label = _escape(table.caption or ", ".join(table.columns))
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{label}"><table>{caption}<thead><tr>{headings}'
        f"</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>"
    )


def _row(number: int, row: Sequence[Value], numeric: Sequence[bool], table: Table) -> str:
    """One row of a table; the first cell is its heading."""
    cells = [f'<th scope="row"{_class("number" * numeric[0])}>{_cell(row[0])}</th>']
    for column, value in enumerate(row[1:], start=1):
        best = (number, column) in table.best
        names = " ".join(["number"] * numeric[column] + ["best"] * best)
        mark = "<small>best</small>" if best else ""
        cells.append(f"<td{_class(names)}>{mark}{_cell(value)}</td>")
    return f"<tr>{''.join(cells)}</tr>"


def _cell(value: Value) -> str:
    """A value, with the unrounded number beside what is shown, so that tables can be sorted and copied."""
    text = _escape(format_value(value))
    return f'<data value="{_escape(repr(value))}">{text}</data>' if _is_number(value) else text


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _class(names: str) -> str:
    """The attribute, or nothing without names."""
    return f' class="{names}"' if names else ""


def _picture(picture: Picture) -> str:
    source = ""
    if picture.dark is not None:
        address = _data_uri(picture.dark, picture.media_type)
        source = f'<source media="(prefers-color-scheme: dark)" srcset="{address}">'
    image = f'<img src="{_data_uri(picture.light, picture.media_type)}" alt="{_escape(picture.alt)}">'
    caption = f"<figcaption>{_escape(picture.caption)}</figcaption>" if picture.caption else ""
    return f"<figure><picture>{source}{image}</picture>{caption}</figure>"


def _samples(entries: Sequence[tuple[int, Sequence[str]]]) -> str:
    items = []
    for number, (step, texts) in enumerate(entries, start=1):
        state = " open" if number == len(entries) else ""
        shown = "".join(f'<pre dir="auto">{_escape(text)}</pre>' for text in texts)
        items.append(f'<details data-step="{step}"{state}><summary>Step {step:,}</summary>{shown}</details>')
    return f"<div data-samples>{''.join(items)}</div>"


def _shaded(text: ShadedText) -> str:
    """A text in spans, of which the class says how dark they are."""
    spans = "".join(
        f'<span class="heat{_shade(value, text.most)}" title="{format_value(value)} {_escape(text.unit)}">'
        f"{_escape(part)}</span>"
        for part, value in text.parts
    )
    return (
        f'<figure class="wide"><pre dir="auto">{spans}</pre><figcaption>{_escape(text.caption)}</figcaption></figure>'
    )


def _shade(value: float, most: float) -> int:
    """How dark a number is, from 0 to `SHADES`."""
    return round(SHADES * min(max(value / most, 0.0), 1.0))


def _data_uri(content: bytes, media_type: str) -> str:
    """Content that stands in the page itself."""
    return f"data:{_escape(media_type)};base64,{base64.b64encode(content).decode('ascii')}"


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "section"


def _escape(text: str) -> str:
    """Text as HTML; characters HTML cannot hold are shown as the replacement character."""
    return html.escape(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", text), quote=True)
