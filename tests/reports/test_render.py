from __future__ import annotations

import re

import pytest

from rnnapps.contract.sections import (
    Details,
    Gallery,
    Paragraph,
    Picture,
    Samples,
    Section,
    ShadedText,
    Sound,
    Table,
)
from rnnapps.reports.render import format_value, render_page
from tests.reports.page import Page

EVIL = "</pre><script>alert(1)</script> & \"quoted\" <img src=https://example.org/x.png onerror='x'>"


def test_everything_given_is_escaped() -> None:
    picture = Picture(b"<svg/>", alt=EVIL, caption=EVIL, media_type=EVIL)
    blocks = (
        Paragraph(EVIL),
        Table((EVIL,), [(EVIL,)], caption=EVIL),
        Gallery([picture]),
        Samples([(1, [EVIL])]),
        Sound(b"", EVIL, media_type=EVIL),
        ShadedText([(EVIL, 1.0)], 2.0, EVIL, EVIL),
        Details(EVIL, [Paragraph(EVIL)]),
    )
    text = render_page(EVIL, EVIL, [Section(EVIL, blocks)])
    page = Page(text)
    assert page.tags.count("script") == 1  # the report's own
    assert page.tags.count("img") == 1
    assert all("onerror" not in attributes for _, attributes in page.elements)
    assert page.attribute("img", "alt") == [EVIL]
    assert page.texts("pre") == [EVIL, EVIL]
    assert page.texts("h1") == [EVIL]
    assert page.texts("h2") == [EVIL]
    assert page.unbalanced == []


def test_characters_html_cannot_hold_are_replaced() -> None:
    text = render_page("Report", "", [Section("One", [Samples([(1, ["a\x00b\x1bc\ud800d\te\nf"])])])])
    assert Page(text).texts("pre") == ["a\ufffdb\ufffdc\ufffdd\te\nf"]
    text.encode("utf-8")


def test_nothing_is_loaded_from_elsewhere() -> None:
    picture = Picture(b"<svg/>", alt="a line", dark=b"<svg id='dark'/>")
    page = Page(render_page("Report", "", [Section("One", [picture, Sound(b"RIFF", "a tone")])]))
    addresses = [value for _, attributes in page.elements for name, value in attributes.items() if name in _ADDRESSES]
    assert addresses
    assert all(value.startswith(("data:", "#")) for value in addresses)
    assert "default-src 'none'" in page.text
    assert not re.search(r"@import|url\(", page.text)


_ADDRESSES = {"src", "srcset", "href", "poster", "action", "data"}


def test_sections_are_linked_and_titles_unique() -> None:
    page = Page(render_page("Report", "", [Section("First part"), Section("Second part")]))
    assert page.attribute("a", "href") == ["#first-part", "#second-part"]
    assert page.attribute("h2", "id") == ["first-part", "second-part"]
    with pytest.raises(ValueError, match="titles must differ"):
        render_page("Report", "", [Section("Same"), Section("same")])


def test_numbers_are_kept_exactly_and_the_best_is_marked() -> None:
    table = Table(("name", "value"), [("a", 1.8031234567), ("b", 2), ("c", None)], best=frozenset({(0, 1)}))
    page = Page(render_page("Report", "", [Section("One", [table])]))
    assert [float(value) for value in page.attribute("data", "value")] == [1.8031234567, 2.0]
    assert page.table(0) == [["name", "value"], ["a", "best1.803"], ["b", "2"], ["c", "–"]]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0.000"),
        (1234567, "1,234,567"),
        (1.80312, "1.803"),
        (28.5714, "28.57"),
        (29257.14, "29,257"),
        (0.000123456, "0.0001235"),
        (1.5e-7, "1.500e-07"),
        (-0.25, "-0.2500"),
        (float("nan"), "not finite"),
        (True, "True"),
    ],
)
def test_format_value(value: float | None, text: str) -> None:
    assert format_value(value) == text


def test_bad_blocks_are_refused() -> None:
    with pytest.raises(ValueError, match="row 2 has 1 cells; expected 2"):
        Table(("a", "b"), [(1, 2), (3,)])
    with pytest.raises(ValueError, match="alt text"):
        Picture(b"", alt=" ")


def test_a_text_is_shaded_by_numbers() -> None:
    """Of 8 shades, the darkest from the largest number on; each part says its number."""
    parts = [("It", 0.0), (" was", 1.0), ("\n", 0.26), ("best", 9.0), ("!", -1.0)]
    page = Page(render_page("Report", "", [Section("One", [ShadedText(parts, 2.0, "nats", "How new")])]))
    spans = [attributes for tag, attributes in page.elements if tag == "span"]
    assert [span["class"] for span in spans] == ["heat0", "heat4", "heat1", "heat8", "heat0"]
    assert [span["title"] for span in spans] == ["0.000 nats", "1.000 nats", "0.2600 nats", "9.000 nats", "-1.000 nats"]
    assert page.texts("pre") == ["It was\nbest!"] and ".heat8 {" in page.text and ".heat9" not in page.text
    with pytest.raises(ValueError, match="darkest shade needs a number above 0"):
        ShadedText(parts, 0.0, "nats", "")
