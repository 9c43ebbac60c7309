"""Pairs that are larger than memory may be: they are dealt out, filtered, cut and batched as those in memory."""

from __future__ import annotations

import csv
import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnapps.errors import DataError
from rnnapps.tasks.translation.batches import (
    StoredEncodedPairs,
    encode_pairs,
    encode_training_pairs,
    pair_batches,
)
from rnnapps.tasks.translation.data import splits as splits_module
from rnnapps.tasks.translation.data import stored_pairs
from rnnapps.tasks.translation.data.config import PairDataConfig
from rnnapps.tasks.translation.data.pairs import PairSplits
from rnnapps.tasks.translation.data.splits import read_pair_splits
from rnnapps.tasks.translation.data.stored_pairs import StoredPairs
from rnnapps.tasks.translation.pipeline import PIPELINE, Config
from rnnapps.tasks.translation.vocabularies import PairVocabularies

WORDS = ("über", "naïve", "zoo", "knight", "river", "jasmine", "ä", "日本")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RNNAPPS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(stored_pairs, "TOGETHER", 7)


def pairs(count: int = 300) -> list[tuple[str, str]]:
    """Pairs of which some are repeated, too long, or of sides that differ."""
    draw = np.random.default_rng(0)
    made = [tuple(" ".join(draw.choice(WORDS, draw.integers(1, 5))) for _ in "ab") for _ in range(count)]
    made[20:24] = [made[3], made[3], ("x" * 300, "y"), ("a b c d e f g h i j k l m", "z")]
    return [(source, target) for source, target in made]


def write(kind: str, folder: Path) -> dict[str, Any]:
    """Writes pairs in a form; returns the settings that read them."""
    own = pairs()
    if kind == "aligned":
        for side, name in enumerate(("a.de", "a.en")):
            lines = (f"{pair[side]}\n" + "\n" * (row % 9 == 8) for row, pair in enumerate(own))
            (folder / name).write_text("".join(lines))
        return {"source": str(folder / "a.de"), "target": str(folder / "a.en")}
    if kind == "json":
        lines = (json.dumps({"translation": {"de": source, "en": target}}) + "\n" for source, target in own)
        (folder / "a.jsonl").write_text("".join(lines))
        return {"source": str(folder / "a.jsonl")}
    if kind == "tmx":
        units = "".join(
            f'<tu><tuv xml:lang="de"><seg>{source}</seg></tuv><tuv xml:lang="en"><seg>{target}</seg></tuv></tu>'
            for source, target in own
        )
        (folder / "a.tmx").write_text(f"<tmx><body>{units}</body></tmx>")
        return {"source": str(folder / "a.tmx")}
    if kind == "csv":
        rows = [("source", "target"), *((f'{source},\n"so"', target) for source, target in own)]
        with open(folder / "a.csv", "w", newline="") as file:
            csv.writer(file).writerows(rows)
        return {"source": str(folder / "a.csv")}
    header = "source\ttarget\tnote\n" if kind == "columns" else ""
    more = "\tCC-BY 2.0" if kind == "columns" else ""
    lines = (f"{source}\t{target}{more}\n" + "\t\n" * (row == 50) for row, (source, target) in enumerate(own))
    (folder / "a.tsv").write_text(header + "".join(lines))
    return {"source": str(folder / "a.tsv")} | ({"columns": ("target", "source")} if kind == "columns" else {})


def both(settings: dict[str, Any], **more: Any) -> tuple[PairSplits, PairSplits]:
    """The splits in memory and on disk."""
    settings = {"largest_ratio": 6.0, "longest": 200, **settings, **more}
    memory, disk = (read_pair_splits(PairDataConfig(**settings, memory_megabytes=size)) for size in (500, 0))
    assert isinstance(disk.train, StoredPairs)
    return memory, disk


def assert_equal(memory: PairSplits, disk: PairSplits) -> None:
    assert list(disk.train) == list(memory.train) and len(disk.train) == len(memory.train)
    for name in ("validation", "test", "read", "dropped", "skipped", "dealt", "source"):
        assert getattr(disk, name) == getattr(memory, name), name
    assert disk.digest() == memory.digest()


@pytest.mark.parametrize("kind", ["tabs", "columns", "json", "csv", "tmx", "aligned"])
@pytest.mark.parametrize("reverse", [False, True])
def test_pairs_on_disk_are_those_in_memory(kind: str, reverse: bool, tmp_path: Path) -> None:
    memory, disk = both(write(kind, tmp_path), reverse=reverse)
    assert_equal(memory, disk)
    assert memory.dealt == ("documents" if kind == "aligned" else "sentences") and len(memory.dropped) >= 2
    assert [disk.train[place] for place in (0, 5, -1)] == [memory.train[place] for place in (0, 5, -1)]
    assert disk.train[3:9] == memory.train[3:9]
    assert disk.train.evenly(3) == [memory.train[place] for place in (0, (len(memory.train) - 1) // 2, -1)]


@pytest.mark.parametrize("kind", ["tabs", "aligned", "tmx", "csv"])
def test_of_many_lines_the_same_are_drawn(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert_equal(*both(write(kind, tmp_path), most_lines=100))
    assert capsys.readouterr().err.count("are read, drawn at random (--data.most_lines)") == 2


def test_no_more_is_held_out_of_many_pairs_than_can_be_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splits_module, "MOST_HELD_OUT", 9)
    for splits in both(write("tabs", tmp_path), validation_fraction=0.3):
        assert len({pair.source for pair in splits.validation}) == 9


@pytest.mark.parametrize("encode", [encode_pairs, functools.partial(encode_training_pairs, seed=3)])
def test_batches_are_the_same_bit_for_bit(encode: Any, tmp_path: Path) -> None:
    found = []
    for splits in both(write("tabs", tmp_path)):
        vocabularies = PairVocabularies.fit(PairDataConfig(source_vocabulary=60, target_vocabulary=40), splits.train)
        encoded = encode(vocabularies, splits.train)
        batches = pair_batches(encoded, batch_size=4, seed=1, start_step=2)
        found.append((vocabularies.source.texts, [*batches.take(3).as_numpy_iterator()]))
        assert len(encoded) - len(splits.train) == (0 if encode is encode_pairs else len(splits.train) // 10)
    assert isinstance(encoded, StoredEncodedPairs)
    assert found[0][0] == found[1][0]
    for one, other in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_array_equal(one["targets"], other["targets"])
        for name, values in one["inputs"].items():
            np.testing.assert_array_equal(values, other["inputs"][name])


def test_a_look_at_pairs_on_disk(tmp_path: Path) -> None:
    settings = write("tabs", tmp_path)
    memory, disk = (PIPELINE.look(Config(PairDataConfig(**settings, memory_megabytes=size))) for size in (500, 0))
    assert (disk.facts, disk.parts, disk.counts, disk.left_out) == (
        memory.facts,
        memory.parts,
        memory.counts,
        memory.left_out,
    )


def test_bad_lines_are_counted_each_time_and_none_at_all_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("a b\tc\nno pair\n" + "".join(f"{row} x\ty {row}\n" for row in range(200)))
    for _ in range(2):
        memory, disk = both({"source": str(tmp_path / "a.tsv")})
        assert_equal(memory, disk)
        assert [bad.problem[:18] for bad in disk.skipped] == ["line 2 has 1 colum"]
    (tmp_path / "b.tsv").write_text("\n\n \n")
    with pytest.raises(DataError, match="holds no sentence pair"):
        read_pair_splits(PairDataConfig(str(tmp_path / "b.tsv"), memory_megabytes=0))
