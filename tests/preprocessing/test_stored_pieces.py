"""Vocabularies in files, whole and damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rnnapps.errors import CheckpointError
from rnnapps.preprocessing.pieces import PieceVocabulary
from rnnapps.preprocessing.special_pieces import UNKNOWN
from tests.preprocessing.vocabularies import TEXTS, both_kinds, rows


@both_kinds
def test_saved_and_loaded(vocabulary: PieceVocabulary, tmp_path: Path) -> None:
    vocabulary.save(tmp_path)
    loaded = PieceVocabulary.load(tmp_path)
    assert loaded.names == vocabulary.names and loaded.merges == vocabulary.merges
    assert rows(loaded, TEXTS) == rows(vocabulary, TEXTS)


def test_files_without_merges_are_word_pieces(tmp_path: Path) -> None:
    (tmp_path / "pieces.json").write_text('{"pieces": ["▁a", "##b"], "lowercase": false, "unit": "word"}')
    assert rows(PieceVocabulary.load(tmp_path), ["ab"]) == [[4, 5]]


DAMAGE: list[tuple[dict[str, Any], str]] = [
    ({"pieces": ["a", "a"]}, "distinct"),
    ({"pieces": "ab"}, "values of another kind"),
    ({"pieces": ["a", 1]}, "values of another kind"),
    ({"pieces": ["a", ""], "merges": None}, "not empty"),
    ({"pieces": ["a", "##"], "merges": None}, "not be empty"),
    ({"pieces": ["a", "b", "ab", "\ud800"]}, "surrogates"),
    ({"merges": ["a b", " ab"]}, "names ''"),
    ({"lowercase": 1}, "values of another kind"),
    ({"unit": "sentence"}, "unit must be"),
    ({"merges": {"a": "b"}}, "values of another kind"),
    ({"merges": [["a", "b"]]}, "values of another kind"),
    ({"merges": ["a b c"]}, "'a b c' is no pair"),
    ({"merges": ["ab"]}, "'ab' is no pair"),
    ({"merges": ["a c", "a b"]}, "names 'c'"),
    ({"merges": ["a b", "b a"]}, "names 'ba'"),
    ({"merges": ["a b", "a b"]}, "merges must be distinct"),
    ({"merges": []}, "no merge makes the piece 'ab'"),
    ({"unit": "character"}, "merges need words"),
]


@pytest.mark.parametrize(("change", "complaint"), DAMAGE, ids=[str(change) for change, _ in DAMAGE])
def test_damaged_files_are_one_line(change: dict[str, Any], complaint: str, tmp_path: Path) -> None:
    whole = {"pieces": ["a", "b", "ab"], "merges": ["a b"], "lowercase": False, "unit": "word"}
    path = tmp_path / "pieces.json"
    path.write_text(json.dumps(whole))
    assert rows(PieceVocabulary.load(tmp_path), ["b"]) == [[UNKNOWN, 5]]
    path.write_text(json.dumps({**whole, **change}))
    expected = rf"pieces\.json: is no vocabulary \(.*{complaint}.*\); restore"
    with pytest.raises(CheckpointError, match=expected) as caught:
        PieceVocabulary.load(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("broken", ["{}", "[1]", "null", '"pieces"', "{"])
def test_other_files_are_no_vocabulary(broken: str, tmp_path: Path) -> None:
    (tmp_path / "pieces.json").write_text(broken)
    with pytest.raises(CheckpointError, match=r"pieces\.json"):
        PieceVocabulary.load(tmp_path)
