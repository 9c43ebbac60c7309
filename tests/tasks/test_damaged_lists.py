"""Lists of examples that are damaged anywhere are read, or refused in one line that names the file."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from rnnapps.data.bad_examples import BadExamplesConfig, GoodExamples
from rnnapps.data.text.documents import read_documents
from rnnapps.data.text.read_as import ReadAs
from rnnapps.errors import DataError
from rnnapps.tasks.speech_recognition.data.layouts import list_rows
from rnnapps.tasks.translation.data.files import read_tab_file
from tests.tasks.damage import damaged

PIECES = [b"\t", b"\n", b"\x00", b"\xff", b'"', b"\r", b"{", b"}", b"[", b"\\u", b",", b"\xef\xbb\xbf", b"1e999", b"|"]
SAID = ["Seven green boats.", 'No, "none".', "Größe ☃", "Is it far?"]
MANY = pytest.mark.parametrize("mutations", [120, pytest.param(1000, marks=pytest.mark.slow)])

Read = Callable[[Path], Sequence[object]]


def lines(*rows: str) -> bytes:
    return "".join(f"{row}\n" for row in rows).encode()


def records(*names: str) -> bytes:
    return lines(*(json.dumps(dict.fromkeys(names, said), ensure_ascii=False) for said in SAID))


LISTS: dict[str, tuple[str, bytes, Read]] = {
    "pairs in CSV": ("a.csv", lines("source,target", *(f'"{n}","{n} two"' for n in range(9))), read_tab_file),
    "pairs in JSON": ("a.jsonl", records("de", "en"), read_tab_file),
    "pairs by name": (
        "a.tsv",
        lines("en\tde\tid", *(f"{s}\t{s}\t1" for s in SAID)),
        partial(read_tab_file, columns=("de", "en")),
    ),
    "Common Voice": (
        "a.tsv",
        lines("client_id\tpath\tsentence", *(f"x\t{n}.mp3\t{s}" for n, s in enumerate(SAID))),
        list_rows,
    ),
    "NeMo": ("a.jsonl", records("audio_filepath", "text"), list_rows),
    "texts in JSON": ("a.jsonl", records("id", "text"), lambda path: read_documents(str(path))),
    "a column": (
        "a.csv",
        lines("id,text", *(f'{n},"a {n}"' for n in range(9))),
        lambda path: read_documents(str(path), read_as=ReadAs(field="text")),
    ),
}


@MANY
@pytest.mark.parametrize("name", LISTS)
def test_damaged_lists_are_read_or_refused_in_one_line(
    name: str, mutations: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, whole, read = LISTS[name]
    path, draw, good = tmp_path / file, np.random.default_rng(0), 0
    path.write_bytes(whole)
    wanted = len(read(path))
    for _ in range(mutations):
        path.write_bytes(damaged(whole, draw, PIECES))
        try:
            good += 0 < len(read(path)) <= 3 * wanted
        except DataError as error:
            assert str(path) in str(error) and "\n" not in str(error)
    assert mutations / 60 < good < mutations
    capsys.readouterr()


@MANY
def test_damaged_kaldi_folders(mutations: int, tmp_path: Path) -> None:
    wanted = {
        "wav.scp": lines(*(f"s{n} wavs/{n}.wav" for n in range(6))),
        "text": lines(*(f"s{n} {said}" for n, said in enumerate(SAID * 2))),
    }
    draw, good = np.random.default_rng(0), 0
    for number in range(mutations):
        for name, whole in wanted.items():
            content = damaged(whole, draw, PIECES) if (name == "text") == (number % 2 == 0) else whole
            (tmp_path / name).write_bytes(content)
        try:
            rows = list_rows(tmp_path, good=GoodExamples(tmp_path, BadExamplesConfig(bad_limit=1.0), noun="recordings"))
        except DataError as error:
            assert str(tmp_path) in str(error) and "\n" not in str(error)
        else:
            good += all(row.transcript is not None and isinstance(row.audio, Path) for row in rows)
    assert mutations / 20 < good <= mutations
