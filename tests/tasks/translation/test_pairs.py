"""Sentence pairs: files, splits, filters, TensorFlow data sets and damaged files."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.translation.data.config import PairDataConfig
from rnnapps.tasks.translation.data.files import (
    LONGEST_LINE,
    placed_aligned,
    placed_pairs,
    read_aligned,
    read_tab_file,
)
from rnnapps.tasks.translation.data.pairs import Pair, PairSplits, filter_pairs
from rnnapps.tasks.translation.data.splits import read_pair_splits


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def numbered(path: Path, count: int) -> Path:
    return write(path, "".join(f"Satz {n}\tsentence {n}\n" for n in range(count)))


def test_lines_of_two_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "\ufeffEin Hund.\tA dog.\r\n\r\n Zwei\u2028 \t two\x85 \n")
    assert read_tab_file(path) == [Pair("Ein Hund.", "A dog."), Pair("Zwei", "two")]


def test_two_aligned_files(tmp_path: Path) -> None:
    source, target = write(tmp_path / "a.de", "eins\n\nzwei\n"), write(tmp_path / "a.en", "one\n\ntwo")
    assert read_aligned(source, target) == [Pair("eins", "one"), Pair("zwei", "two")]


def test_of_many_lines_some_are_drawn_and_both_files_agree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = numbered(tmp_path / "a.tsv", 2000)
    columns = list(zip(*(line.split("\t") for line in pairs.read_text().splitlines()), strict=True))
    files = [write(tmp_path / f"a.{name}", "\n".join(lines)) for name, lines in zip(("de", "en"), columns, strict=True)]
    drawn = [placed_pairs(pairs, most=50), placed_aligned(*files, most=50)]
    assert "50 of 2,000 lines are read, drawn at random" in capsys.readouterr().err
    for found in drawn:
        assert len(found) == 50
        assert all(placed.pair.source.split()[1] == placed.pair.target.split()[1] for placed in found)
    assert [placed.pair for placed in drawn[0]] == [placed.pair for placed in drawn[1]]
    rows = write(tmp_path / "c.csv", "de,en\n" + pairs.read_text().replace("\t", ","))
    assert [placed.pair for placed in placed_pairs(rows, most=50)] == [placed.pair for placed in drawn[0]]
    assert "50 of 2,000 rows are read, drawn at random" in capsys.readouterr().err


def test_documents_between_empty_lines_are_held_out_whole(tmp_path: Path) -> None:
    texts = [
        "\n\n".join("\n".join(f"{said} {d} {n}" for n in range(5)) for d in range(40)) for said in ("Satz", "sentence")
    ]
    files = [write(tmp_path / f"a.{name}", f"{text}\n") for name, text in zip(("de", "en"), texts, strict=True)]
    tabbed = write(
        tmp_path / "a.tsv",
        "\n".join(
            f"{one}\t{two}" if one else "" for one, two in zip(texts[0].split("\n"), texts[1].split("\n"), strict=True)
        ),
    )
    for settings in ({"source": str(files[0]), "target": str(files[1])}, {"source": str(tabbed)}):
        splits = read_pair_splits(PairDataConfig(**settings, validation_fraction=0.1, test_fraction=0.1))
        assert splits.dealt == "documents" and splits.test is not None
        documents = [
            {pair.source.split()[1] for pair in part} for part in (splits.train, splits.validation, splits.test)
        ]
        assert [len(part) for part in documents] == [32, 4, 4] and len(set.union(*documents)) == 40
        assert len(splits.train) == 160


def test_several_references_of_test_sentences(tmp_path: Path) -> None:
    train = numbered(tmp_path / "a.tsv", 40)
    source, target = write(tmp_path / "t.de", "eins\n\nzwei\ndrei\n"), write(tmp_path / "t.en", "one\n\ntwo\nthree\n")
    more = [write(tmp_path / f"r{n}", text) for n, text in enumerate(("1\n\n2\n3\n", "I\n\n\nIII\n"))]
    settings: dict[str, Any] = {"test": str(source), "test_target": str(target)}
    references = tuple(map(str, more))
    splits = read_pair_splits(PairDataConfig(str(train), **settings, test_references=references))
    assert splits.scored_references() == [["one", "1", "I"], ["two", "2"], ["three", "3", "III"]]
    assert read_pair_splits(PairDataConfig(str(train), **settings)).scored_references() == [["one"], ["two"], ["three"]]
    with pytest.raises(DataError, match=r"r0: has 1 lines, but .*t\.de has 4"):
        write(more[0], "1\n")
        read_pair_splits(PairDataConfig(str(train), **settings, test_references=references))
    with pytest.raises(ConfigError, match=r"data\.test_references needs data\.test and data\.test_target"):
        PairDataConfig(str(train), test_references=references)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("a\tb\nc\n", r"line 2 has 1 columns; expected 2: a sentence, a tab, its translation"),
        ("a\tb\tc\n", r"line 1 has 3 columns"),
        ("a\tb\n \tc\n", r"line 2 has no sentence"),
        ("a\t \n", r"line 1 has no translation"),
        ("", r"holds no sentence pair"),
        ("\n\n", r"holds no sentence pair"),
        (b"a\t\xff\n", r"byte 2 \(line 1\) is 0xff"),
        ("a\tb\n".encode("utf-16")[:-1], r"begins with the byte order mark of UTF-16"),
        ("a\t" + "b" * (LONGEST_LINE + 1), r"line 1 has a translation of 20,001 characters; at most 20,000 are read"),
    ],
)
def test_bad_files_name_the_line(tmp_path: Path, content: str | bytes, complaint: str) -> None:
    path = write(tmp_path / "bad.tsv", content)
    with pytest.raises(DataError, match=rf"bad\.tsv.*{complaint}"):
        read_tab_file(path)


def test_files_of_different_length(tmp_path: Path) -> None:
    source, target = write(tmp_path / "a.de", "eins\nzwei\n"), write(tmp_path / "a.en", "one\n")
    with pytest.raises(DataError, match=r"a\.en: has 1 lines, but .*a\.de has 2"):
        read_aligned(source, target)
    with pytest.raises(DataError, match=r"line 2 has no translation"):
        read_aligned(source, write(target, "one\n\n"))


def test_held_out_sentences_are_never_seen(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "".join(f"Satz {n // 2}\tsentence {n}\n" for n in range(200)))
    splits = read_pair_splits(PairDataConfig(source=str(path), validation_fraction=0.1, test_fraction=0.2))
    assert splits.test is not None
    parts = [{pair.source for pair in part} for part in (splits.train, splits.validation, splits.test)]
    assert [len(part) for part in parts] == [70, 10, 20] and not parts[0] & parts[1] | parts[0] & parts[2]
    assert len(splits.train) == 140 and splits.read == 140 and not splits.dropped
    again = read_pair_splits(PairDataConfig(source=str(path), validation_fraction=0.1, test_fraction=0.2))
    assert again == splits


def test_files_of_their_own_for_each_part(tmp_path: Path) -> None:
    train, test = numbered(tmp_path / "train.tsv", 10), numbered(tmp_path / "test.tsv", 3)
    source, target = write(tmp_path / "v.de", "neu\n"), write(tmp_path / "v.en", "new\n")
    config = PairDataConfig(
        source=str(train), test=str(test), validation=str(source), validation_target=str(target), reverse=True
    )
    splits = read_pair_splits(config)
    assert len(splits.train) == 10 and splits.train[0] == Pair("sentence 0", "Satz 0")
    assert splits.validation == [Pair("new", "neu")] and splits.test is not None and len(splits.test) == 3


def test_filters_say_why() -> None:
    pairs = [
        Pair("a b", "c d"),
        Pair("a b", "c d"),
        Pair("x" * 50, "y" * 10),
        Pair("x" * 30, "y" * 31),
        Pair("short", "a" * 20),
        Pair("x" * 101, "y" * 99),
    ]
    kept, dropped = filter_pairs(pairs, longest=100, largest_ratio=4)
    assert kept == [pairs[0], pairs[3], pairs[4]]
    assert dropped == {
        "repeats an earlier pair": 1,
        "longer than 100 characters": 1,
        "one side over 4 times as long": 1,
    }


def test_the_fingerprint_tells_source_from_target() -> None:
    first, other = ([Pair("ü", "u")], [Pair("u", "ü")])
    digests = {PairSplits(train, first, None, "a", 1).digest() for train in (first, other)}
    assert len(digests) == 2
    assert PairSplits(first, first, other, "b", 2).digest() in digests, "test pairs and names are no part of it"


def test_too_few_pairs(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has 1 different sentences; 2 are held out"):
        read_pair_splits(PairDataConfig(source=str(numbered(tmp_path / "one.tsv", 1))))
    with pytest.raises(DataError, match="has no usable training pair"):
        read_pair_splits(PairDataConfig(source=str(numbered(tmp_path / "a.tsv", 30)), longest=3))


def test_bad_settings() -> None:
    for bad in (
        {"tokens": "letters"},
        {"validation_fraction": 0.0},
        {"test_fraction": 1.0},
        {"validation_fraction": 0.6, "test_fraction": 0.5},
        {"source_vocabulary": 3},
        {"longest": 0},
        {"largest_ratio": 0.5},
        {"grow_tokens": -1},
        {"test_target": "a.en"},
    ):
        settings: dict[str, Any] = bad
        with pytest.raises(ConfigError, match=next(iter(bad))):
            PairDataConfig(**settings)


def test_builtin_phrases_are_different_and_repeat() -> None:
    splits = read_pair_splits(PairDataConfig())
    assert splits.test is not None and "CLDR" in splits.source
    sources = [pair.source for part in (splits.train, splits.validation, splits.test) for pair in part]
    assert len(set(sources)) == len(sources) == 24_000
    assert all("\u00a0" not in text and "\u202f" not in text for pair in splits.test for text in pair)


def test_builtin_phrases_by_hand() -> None:
    import datetime

    from rnnapps.tasks.translation.data import phrases

    moment = datetime.datetime(2024, 3, 5, 15, 7)
    draw = random.Random(0)
    with mock.patch.object(phrases, "_moment", return_value=moment):
        found = {phrases.phrase_pair(draw) for _ in range(300)}
    assert Pair("Tuesday, March 5, 2024", "Dienstag, 5. März 2024") in found
    assert Pair("3:07 PM", "15:07") in found
    assert Pair("3/5/24", "05.03.24") in found


@pytest.mark.parametrize(
    ("name", "own"), [("ted_hrlr_translate/pt_to_en", ("train", "validation", "test")), ("opus/medical", ("train",))]
)
def test_tensorflow_datasets(name: str, own: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow_datasets as tfds

    original = tfds.builder

    def with_splits(name: str, **_: Any) -> Any:
        builder = original(name, data_dir=str(tmp_path))
        if not builder.info.splits:
            splits = [tfds.core.SplitInfo(name=split, shard_lengths=[9], num_bytes=0) for split in own]
            builder.info.set_splits(tfds.core.SplitDict(splits))
        return builder

    monkeypatch.setattr(tfds, "builder", with_splits)
    with tfds.testing.mock_data(num_examples=9):
        splits = read_pair_splits(PairDataConfig(source=f"tfds:{name}", validation_fraction=0.3, test_fraction=0.3))
    assert splits.test is not None and splits.train and splits.validation
    together = len(splits.train) + len(splits.validation) + len(splits.test)
    assert together == 9 * len(own) - sum(splits.dropped.values())
    assert all(isinstance(side, str) and side for pair in splits.test for side in pair)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_sides_of_tensorflow_datasets() -> None:
    import tensorflow_datasets as tfds

    from rnnapps.tasks.translation.data.tfds import text_features

    features = tfds.features
    both = mock.Mock()
    both.info.features, both.info.supervised_keys = features.Translation(["de", "en"]), ("de", "en")
    assert text_features("tfds:x", both) == ("de", "en")
    both.info.supervised_keys = None
    assert set(text_features("tfds:x", both)) == {"de", "en"}
    image = mock.Mock()
    image.info.features = features.FeaturesDict(
        {"image": features.Image(), "label": features.ClassLabel(num_classes=2)}
    )
    image.info.supervised_keys = ("image", "label")
    with pytest.raises(DataError, match="is no data set of translations; its features are image, label"):
        text_features("tfds:mnist", image)
