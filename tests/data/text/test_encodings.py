"""Texts in old encodings are read in the one that makes sense of them, which is told; else they are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnapps.data.text.documents import decode_text, read_documents
from rnnapps.data.text.encodings import found_encoding, require_encoding, text_in
from rnnapps.data.text.read_as import ReadAs
from rnnapps.errors import ConfigError, DataError

SAID = {
    "cp1252": "L'été dernier, nous avons visité un château près de la rivière. Où êtes-vous né ? « Ça » dépend. ",
    "cp1250": "Zażółć gęślą jaźń. Wszyscy ludzie rodzą się wolni i równi pod względem swej godności. ",
    "cp1251": "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему. ",
    "koi8_r": "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему. ",
    "cp1253": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια. ",
    "cp932": "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。",
    "gb18030": "道可道，非常道。名可名，非常名。无名天地之始；有名万物之母。",
}


@pytest.mark.parametrize("encoding", SAID)
def test_an_encoding_is_found_and_told(encoding: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = SAID[encoding] * 6
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode(encoding))
    assert read_documents(str(path)) == [text]
    assert f"a.txt: is not UTF-8, and is read as {encoding}, which makes sense of it" in capsys.readouterr().err


def test_where_it_cannot_be_known_nothing_is_read(tmp_path: Path) -> None:
    for content in ("naïve".encode("cp1252"), bytes(range(128, 256)) * 4 + b"\x81\x8d", b"\xff" * 19):
        assert found_encoding(content, "x") is None
        with pytest.raises(DataError, match="which is not UTF-8 text there"):
            decode_text(content, "x", guess=True)
    with pytest.raises(DataError, match="which is not UTF-8"):
        decode_text(SAID["cp1252"].encode("cp1252") * 6, "x")


def test_what_is_told_is_used(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("naïve €".encode("cp1252"))
    assert read_documents(str(tmp_path), read_as=ReadAs(encoding="cp1252")) == ["naïve €"]
    with pytest.raises(DataError, match=r"x: byte 4 \(line 2\) is no ascii text; name another encoding"):
        text_in(b"ab\nc\xff", "ascii", "x")
    assert text_in("\ufeffa".encode("utf-16"), "utf-16", "x") == "\ufeffa"
    require_encoding("data.encoding", "")
    require_encoding("data.encoding", "shift_jis")
    for wrong in ("klingon", "a\0b", "hex"):
        with pytest.raises(ConfigError, match=r"data\.encoding must be an encoding that Python knows"):
            require_encoding("data.encoding", wrong)
