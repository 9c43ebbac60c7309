from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnapps.data.file_kinds import require_text
from rnnapps.data.text.documents import decode_text, plain_lines
from rnnapps.errors import DataError


def archive(*members: tuple[str, str]) -> bytes:
    with zipfile.ZipFile(file := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as written:
        for name, text in members:
            written.writestr(zipfile.ZipInfo(name), text)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"%PDF-1.7\n1 0 obj\n", r"is a PDF document, not text; .*pdftotext"),
        (b"{\\rtf1 text}", "is an RTF document, not text; save it as plain text"),
        (archive(("mimetype", "application/epub+zip"), ("a.xhtml", "x")), "is an EPUB book, not text; .*pandoc"),
        (archive(("[Content_Types].xml", ""), ("word/document.xml", "")), "is a Word document .*; save it as plain"),
        (
            archive(("[Content_Types].xml", ""), ("xl/workbook.xml", "")),
            "is an Excel workbook .*; save the sheet as CSV",
        ),
        (archive(("mimetype", "application/vnd.oasis.opendocument.text")), "is an OpenDocument text"),
        (archive(("series.csv", "a,b")), "is a ZIP archive, not text; unpack it and give the file within"),
        (b"\x1f\x8b\x08\0", "is compressed by gzip, not text; unpack it: gzip -d FILE"),
        (b"SQLite format 3\0" + bytes(9), "is an SQLite database, not text; write the result of a query as CSV"),
        (b"MThd\0\0\0\6", "is a MIDI file"),
        (b"RIFF\xff\0\0\0WAVE", "is a WAV"),
        (b"\0\0\0\x18ftypmp42", "is an MP4"),
    ],
)
def test_what_is_no_text_is_named_by_its_first_bytes(content: bytes, told: str) -> None:
    with pytest.raises(DataError, match=f"^file: {told}"):
        require_text(content, "file")
    with pytest.raises(DataError, match=told) as caught:
        decode_text(content, "file")
    assert "UTF-8 (iconv)" not in str(caught.value)


@given(st.sampled_from(["ID3", "RIFF", "BZh", "GIF8", "PAR1", "MThd", "abcdftyp", ""]), st.text(max_size=20))
def test_a_text_may_begin_with_any_letters(first: str, rest: str) -> None:
    content = (first + rest.replace("\0", "")).encode(errors="ignore")
    require_text(content, "file")
    assert decode_text(content, "file") == plain_lines(content.decode())


@given(st.text(st.characters(exclude_characters="\r\0\ufeff", exclude_categories=["Cs"]), max_size=50))
def test_marked_encodings_are_read(text: str) -> None:
    for encoding in ("utf-8-sig", "utf-16", "utf-32"):
        assert decode_text(text.encode(encoding), "file") == text
