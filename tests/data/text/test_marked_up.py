"""Web pages, e-books and Word documents are read as their text; damaged and hostile ones are one line."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnapps.data.text import marked_up
from rnnapps.data.text.documents import read_documents
from rnnapps.data.text.read_as import ReadAs
from rnnapps.errors import DataError
from tests.tasks.damage import damaged

PAGE = """<!DOCTYPE html><html><head><title>no</title><style>p {}</style><script>x = "<p>"</script></head>
<body><h1>One &amp; two</h1><p>First <b>bold</b> line.</p><ul><li>an <i>item</i></li></ul><p>Größe</p></body></html>"""
CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
)
BOOK = (
    '<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="b" href="two.xhtml"/>'
    '<item id="a" href="one%20one.xhtml"/></manifest><spine><itemref idref="a"/><itemref idref="b"/></spine></package>'
)


def epub(**more: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("OEBPS/book.opf", BOOK)
        archive.writestr("OEBPS/two.xhtml", "<html><body><p>the second</p></body></html>")
        archive.writestr("OEBPS/one one.xhtml", PAGE)
        for name, content in more.items():
            archive.writestr(name.replace("_", "/", 1) + ".xml", content)
    return buffer.getvalue()


def rewritten(book: str) -> bytes:
    """The book by another table of contents."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(epub())) as whole, zipfile.ZipFile(buffer, "w") as archive:
        for name in whole.namelist():
            archive.writestr(name, book if name.endswith(".opf") else whole.read(name))
    return buffer.getvalue()


def docx(*paragraphs: str) -> bytes:
    document = pytest.importorskip("docx").Document()
    for text in paragraphs:
        document.add_paragraph(text)
    table = document.add_table(rows=1, cols=2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "left", "right"
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def test_pages_and_books(tmp_path: Path) -> None:
    pytest.importorskip("inscriptis")
    (tmp_path / "a.html").write_text(PAGE, encoding="utf-8")
    (text,) = read_documents(str(tmp_path / "a.html"))
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    assert lines == ["One & two", "First bold line.", "* an item", "Größe"]
    old = PAGE.replace("<head>", '<head><meta charset="iso-8859-1">').encode("latin-1")
    (tmp_path / "b.htm").write_bytes(old)
    assert read_documents(str(tmp_path / "b.htm")) == [text]
    (tmp_path / "c.epub").write_bytes(epub())
    assert read_documents(str(tmp_path / "c.epub")) == [f"{text}\nthe second\n"]
    assert len(read_documents(str(tmp_path))) == 3
    around = BOOK.replace('"two.xhtml"', '"../OEBPS/./two.xhtml"')
    twice = around.replace('<itemref idref="b"/>', '<itemref idref="b"/>' * 3)
    (tmp_path / "c.epub").write_bytes(rewritten(twice))
    assert read_documents(str(tmp_path / "c.epub")) == [f"{text}\nthe second\n"]
    (tmp_path / "d.txt").write_text("a text")
    assert read_documents(str(tmp_path)) == ["a text"]
    assert read_documents(str(tmp_path / "a.html"), read_as=ReadAs(markup="keep")) == [PAGE]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(st.text("aäß ☃,.xyz", min_size=1, max_size=30).map(str.strip).filter(bool), max_size=4))
def test_word_documents_of_python_docx(said: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(docx(*said))
    assert read_documents(str(tmp_path / "a.docx")) == ["".join(f"{line}\n" for line in [*said, "left\tright"])]


def test_what_cannot_be_read_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("inscriptis")
    locked = epub(**{"META-INF_encryption": '<CipherReference URI="OEBPS/two.xhtml"/>'})
    lost = epub().replace(b"two.xhtml", b"tww.xhtml", 1)
    for content, said in (
        (locked, "chapters are encrypted"),
        (lost, "cannot be read"),
        (epub()[:200], "cannot be read"),
    ):
        (tmp_path / "a.epub").write_bytes(content)
        with pytest.raises(DataError, match=rf"a\.epub: .*{said}") as raised:
            read_documents(str(tmp_path / "a.epub"))
        assert "\n" not in str(raised.value)
    (tmp_path / "a.epub").write_bytes(epub())
    with monkeypatch.context() as patch:
        patch.setattr(marked_up, "MAXIMUM_BYTES", 100)
        with pytest.raises(DataError, match=r"unpacks to [\d,]+ bytes; at most 100 are read"):
            read_documents(str(tmp_path / "a.epub"))
    monkeypatch.setitem(sys.modules, "inscriptis", None)
    with pytest.raises(
        DataError, match=r"for which the package inscriptis is needed; pip install 'rnnapps\[documents\]'"
    ):
        read_documents(str(tmp_path / "a.epub"))


def test_without_the_package_a_page_is_refused_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, package in (("a.html", "inscriptis"), ("a.docx", "docx")):
        monkeypatch.setitem(sys.modules, package, None)
        (tmp_path / name).write_bytes(b"<p>x" if name == "a.html" else b"PK\x03\x04")
        with pytest.raises(DataError, match=f"the package {package} is needed"):
            read_documents(str(tmp_path / name))


@pytest.mark.parametrize("mutations", [40, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["html", "epub", "docx"])
def test_damaged_ones_are_text_or_one_line(kind: str, mutations: int, tmp_path: Path) -> None:
    pytest.importorskip("inscriptis")
    whole = {"html": PAGE.encode(), "epub": epub(), "docx": docx("one", "two") if kind == "docx" else b""}[kind]
    draw, read, path = np.random.default_rng(0), 0, tmp_path / f"a.{kind}"
    pieces = [b"<", b">", b"\0", b"<!--", b"&#0;", b"&#xd800;", b"<![CDATA[", b"\xff", b"PK\x03\x04", b"<table>", b'"']
    for _ in range(mutations):
        path.write_bytes(damaged(whole, draw, pieces))
        try:
            texts = read_documents(str(path))
        except DataError as error:
            assert str(error).startswith(str(path)) and "\n" not in str(error)
            continue
        assert all(isinstance(text, str) and text.encode() for text in texts)
        read += 1
    assert read > mutations / 4 if kind == "html" else read < mutations  # archives have check sums
