"""The forms in which people have pairs: Tatoeba's exports, CSV with a header, JSON lines, blanks, compressed files."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnapps.data.bad_examples import GoodExamples
from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.translation.data.config import PairDataConfig
from rnnapps.tasks.translation.data.files import read_aligned, read_tab_file
from rnnapps.tasks.translation.data.pairs import Pair

ENGLISH = ("The train leaves at nine.", "I lost my keys.", "Is it far?", "Nobody.", "We'll see, soon.")
GERMAN = ("Der Zug fährt um neun.", "Ich suche meine Schlüssel.", "Ist es weit?", "Niemand.", "Wir werden sehen.")
PAIRS = [Pair(*both) for both in zip(ENGLISH, GERMAN, strict=True)]


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def test_exports_of_tatoeba_have_a_third_column_that_is_told(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    lines = (f"{en}\t{de}\tCC-BY 2.0 (France) Attribution: tatoeba.org #{n}" for n, (en, de) in enumerate(PAIRS))
    assert read_tab_file(write(tmp_path / "deu.txt", *lines)) == PAIRS
    assert "the third column is attribution and is left out: 'CC-BY 2.0 (France)" in capsys.readouterr().err


def test_a_header_is_no_pair_and_quotes_are_none_of_its_text(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows([("english", "german"), *PAIRS])
    (tmp_path / "pairs.csv").write_text(buffer.getvalue())
    assert read_tab_file(tmp_path / "pairs.csv") == PAIRS
    assert "line 1 is a header and no pair: english, german" in capsys.readouterr().err


def test_columns_by_number_and_by_name(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "id\tde\tnote\ten", *(f"7\t{de}\tx\t{en}" for en, de in PAIRS))
    assert read_tab_file(path, columns=("en", "de")) == PAIRS
    assert read_tab_file(path, columns=(4, 2)) == PAIRS, "two headings are no pair either"
    with pytest.raises(DataError, match="has no column 'fr'; its columns are id, de, note, en"):
        read_tab_file(path, columns=("de", "fr"))
    with pytest.raises(DataError, match="line 2 has 4 columns, and column 5 is to be read"):
        read_tab_file(path, columns=(1, 5))
    with pytest.raises(DataError, match=r"line 1 has 3 columns; expected 2.*as --data\.columns"):
        read_tab_file(write(tmp_path / "b.tsv", "a\tb\tc"))
    with pytest.raises(ConfigError, match="two different columns"):
        PairDataConfig(columns=(1,))
    for columns in ((0, 1), ("0", "2")):
        with pytest.raises(ConfigError, match="numbers from 1"):
            PairDataConfig(columns=columns)
    assert PairDataConfig(columns=("2", "en")).columns == (2, "en"), "as the command line gives them"


def test_json_lines(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    nested = write(tmp_path / "a.jsonl", *(json.dumps({"translation": {"en": en, "de": de}}) for en, de in PAIRS))
    assert read_tab_file(nested) == PAIRS and "from 'en' and 'de'" in capsys.readouterr().err
    flat = write(tmp_path / "b.jsonl", *(json.dumps({"id": n, "de": de, "en": en}) for n, (en, de) in enumerate(PAIRS)))
    assert read_tab_file(flat, columns=("en", "de")) == PAIRS
    for line, complaint in {
        "{": "line 2 is no JSON",
        "[1]": "line 2 is JSON, but no object",
        '{"translation": {"en": "a"}}': "line 2 has no text 'de'",
        '{"en": "\\ud800", "de": "b"}': "line 2: 'en' has half a surrogate pair",
    }.items():
        with pytest.raises(DataError, match=complaint):
            read_tab_file(write(tmp_path / "c.jsonl", '{"en": "a", "de": "b"}', line))
    with pytest.raises(DataError, match=r"line 1 has the texts 'a'; expected two; name two of them"):
        read_tab_file(write(tmp_path / "d.jsonl", '{"a": "b", "n": 1}'))


def test_bars_between_sides(tmp_path: Path) -> None:
    assert read_tab_file(write(tmp_path / "a.txt", *(f"{en} ||| {de}" for en, de in PAIRS))) == PAIRS


def test_blank_sides_are_dropped_and_counted(tmp_path: Path) -> None:
    english = write(tmp_path / "a.en", *ENGLISH[:2], " ", *ENGLISH[2:])
    german = write(tmp_path / "a.de", *GERMAN[:2], "Leer.", *GERMAN[2:])
    good = GoodExamples("a", PairDataConfig(), noun="lines")
    assert read_aligned(english, german, good) == PAIRS
    assert good.finish() == () and good.dropped == {"one side is blank": 1}


@pytest.mark.parametrize("kind", ["gz", "zip"])
def test_compressed_files_are_read_as_they_are(kind: str, tmp_path: Path) -> None:
    content = "".join(f"{en}\t{de}\n" for en, de in PAIRS).encode()
    path = tmp_path / f"pairs.tsv.{kind}"
    if kind == "gz":
        path.write_bytes(gzip.compress(content))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("pairs.tsv", content)
    assert read_tab_file(path) == PAIRS


SIDES = st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" ,;\"'\t|"), min_size=1, max_size=30)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=6))
def test_what_the_csv_module_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, sides: list[tuple[str, str]]
) -> None:
    wanted = [Pair(*(side.strip() for side in both)) for both in sides if all(side.strip() for side in both)]
    if not wanted:
        return
    path = tmp_path_factory.getbasetemp() / "any.csv"
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows([("source", "target"), *wanted])
    path.write_text(buffer.getvalue(), encoding="utf-8")
    assert read_tab_file(path) == wanted
