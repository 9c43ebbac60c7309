"""Translation memories are read as the programs of translators write them; damaged ones are one line."""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnapps.data.bad_examples import GoodExamples
from rnnapps.errors import DataError
from rnnapps.tasks.translation.data.config import PairDataConfig
from rnnapps.tasks.translation.data.files import placed_pairs, read_tab_file
from rnnapps.tasks.translation.data.pairs import Pair
from tests.tasks.damage import damaged

HEAD = '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE tmx SYSTEM "tmx14.dtd">\n<tmx version="1.4"><header/><body>\n'
UNITS = """<tu><tuv xml:lang="en-US"><seg>Seven <bpt i="1">{b}</bpt>green<ept i="1">{/b}</ept> boats.</seg></tuv>
<tuv xml:lang="de"><seg>Sieben grüne <hi>Boote</hi>.</seg></tuv></tu>
<tu><note>x</note><tuv lang="EN-us"><seg>No &amp; no.</seg></tuv><tuv lang="DE"><seg>Nein
und nein.</seg></tuv></tu>
"""
END = "</body></tmx>"
PAIRS = [Pair("Seven green boats.", "Sieben grüne Boote."), Pair("No & no.", "Nein und nein.")]


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def test_units_without_their_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "a.tmx", HEAD + UNITS + END)
    assert read_tab_file(path) == PAIRS
    assert "pairs are read from 'en-us' and 'de'" in capsys.readouterr().err
    assert read_tab_file(path, columns=("de", "en")) == [Pair(*reversed(pair)) for pair in PAIRS]
    spaced = HEAD.replace("<tmx ", '<tmx xmlns="http://www.lisa.org/tmx14" ')
    assert read_tab_file(write(tmp_path / "c.tmx", spaced + UNITS + END)) == PAIRS
    wide = HEAD.replace("utf-8", "utf-16")
    assert read_tab_file(write(tmp_path / "b.tmx", wide + UNITS + END, "utf-16")) == PAIRS


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (HEAD + UNITS, "line 8: is no XML: no element found"),
        (HEAD + END, "holds no sentence pair"),
        (
            HEAD + UNITS.replace('<tuv xml:lang="de">', '<tuv xml:lang="fr">') + END,
            "unit 2 has the languages en-us, de, and not",
        ),
        (HEAD + '<tu><tuv xml:lang="en"><seg>a</seg></tuv></tu>' + END, "unit 1 has the languages en; expected two"),
        (
            HEAD.replace('tmx14.dtd"', 'tmx14.dtd" [<!ENTITY x SYSTEM "file:///etc/passwd">]')
            + UNITS.replace("No", "&x;"),
            "is no XML",
        ),
        ("%PDF", "line 1: is no XML"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(content: str, said: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.tmx", content)
    with pytest.raises(DataError, match=said) as raised:
        read_tab_file(path)
    assert str(raised.value).startswith(f"{path}: ") and "\n" not in str(raised.value)
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_tab_file(tmp_path / "none.tmx")


def test_entities_that_grow_without_end_are_refused(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    head = HEAD.replace('SYSTEM "tmx14.dtd"', f'[<!ENTITY e0 "ha">{entities}]')
    with pytest.raises(DataError, match="is no XML: limit on input amplification"):
        read_tab_file(write(tmp_path / "a.tmx", head + UNITS.replace("No", "&e11;") + END))


def test_of_many_units_some_are_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    units = "".join(UNITS.split("<tu><note>")[0].replace("Seven", f"Seven {n}") for n in range(300))
    path = write(tmp_path / "a.tmx", HEAD + units + END)
    found = placed_pairs(path, most=20)
    assert len(found) == 20 and "20 of 300 units are read, drawn at random" in capsys.readouterr().err


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20)


@pytest.mark.skipif(find_spec("translate") is None, reason="needs translate-toolkit")
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=6))
def test_memories_of_the_translate_toolkit(pairs: list[tuple[str, str]], tmp_path: Path) -> None:
    tmx = pytest.importorskip("translate.storage.tmx")
    file = tmx.tmxfile()
    for source, target in pairs:
        file.addtranslation(source, "en", target, "de")
    buffer = io.BytesIO()
    file.serialize(buffer)
    (tmp_path / "a.tmx").write_bytes(buffer.getvalue())
    assert read_tab_file(tmp_path / "a.tmx") == [Pair(source.strip(), target.strip()) for source, target in pairs]


@pytest.mark.parametrize("mutations", [150, pytest.param(2000, marks=pytest.mark.slow)])
def test_damaged_ones_are_pairs_or_one_line(mutations: int, tmp_path: Path) -> None:
    whole, draw, read = (HEAD + UNITS * 4 + END).encode(), np.random.default_rng(0), 0
    pieces = [
        b"<",
        b">",
        b"&",
        b"\0",
        b"<seg>",
        b"</tu>",
        b"<!--",
        b"\xff",
        b"<tu><tu>",
        b"&#1;",
        b'"',
        *[b"word", b" ", b"\n"] * 4,
    ]
    for number in range(mutations):
        path = tmp_path / "a.tmx"
        within = whole.replace(b"boats", pieces[draw.integers(len(pieces))], 1)
        path.write_bytes(damaged(whole, draw, pieces) if number % 3 else within)
        good = GoodExamples(path, PairDataConfig(bad_limit=1.0, on_bad="skip"), noun="lines")
        try:
            read += len(read_tab_file(path, good)) > 0
        except DataError as error:
            assert str(path) in str(error) and "\n" not in str(error)
    assert mutations / 20 < read < mutations
