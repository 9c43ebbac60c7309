from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnapps.data.text import documents
from rnnapps.data.text.documents import decode_text, read_documents, separated
from rnnapps.errors import DataError
from rnnapps.tasks.text_generation.data.config import TextDataConfig
from rnnapps.tasks.text_generation.data.text import joined, read_splits
from rnnapps.tasks.text_generation.data.text_parts import split_contiguously, split_evenly

SHAKESPEARE = Path(__file__).parents[3].parent / "shared/data/text/tinyshakespeare.txt"
TEXTS = st.lists(st.text(max_size=20), max_size=5)
SHARES = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.4]), min_size=2, max_size=2)


def splits_of(source, **options):
    splits = read_splits(TextDataConfig(source=str(source), **options))
    parts = (splits.train, splits.validation, splits.test)
    return [None if split is None else joined(split) for split in parts]


@given(text=st.text(max_size=40))
def test_any_unicode_survives_but_for_line_ends(text):
    expected = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    assert decode_text(text.encode(), "x") == expected


def test_byte_order_mark_and_line_ends_by_hand():
    assert decode_text(b"\xef\xbb\xbfa\r\nb\rc\n\xef\xbb\xbf", "x") == "a\nb\nc\n\ufeff"
    assert decode_text(b"", "x") == ""


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"ok\nok\n\xff", r"byte 6 \(line 3\) is 0xff.*iconv"),
        ("é".encode("latin-1"), r"byte 0 \(line 1\) is 0xe9"),
        (b"\xef\xbb\xbfab\xc3", r"byte 5 \(line 1\) is 0xc3"),
        (b"ab\xed\xa0\x80", r"byte 2 \(line 1\) is 0xed"),  # a lone surrogate
        (b"\xc0\x80", r"byte 0 .* 0xc0"),  # an overlong NUL
        ("text".encode("utf-16")[:-1], r"the byte order mark of UTF-16, but byte 8 is not text in it; restore"),
        (b"\xff\xfe\0\0" + b"\xff" * 4, r"the byte order mark of UTF-32, but byte 4 is not text in it"),
        (("long text" * 9).encode("utf-16-le"), r"81 of 162 bytes are zero"),
        (b"\x89PNG\r\n\x1a\n" + bytes(9), r"is a PNG picture, not text; give text instead"),
        ("naïve".encode("cp1252"), r"byte 2 \(line 1\) is 0xef.*iconv -f CP1252 -t UTF-8 FILE > NEW"),
    ],
)
def test_what_is_not_utf8_text_is_refused_with_its_place(content, problem, tmp_path):
    (tmp_path / "file.txt").write_bytes(content)
    with pytest.raises(DataError, match=problem) as caught:
        read_documents(str(tmp_path / "file.txt"))
    assert str(caught.value).startswith(str(tmp_path / "file.txt")) and "\n" not in str(caught.value)


@given(documents=TEXTS, shares=st.lists(st.floats(0, 0.49), min_size=2, max_size=2))
def test_splits_are_contiguous_and_lose_nothing(documents, shares):
    parts = split_contiguously(documents, shares)
    whole = "".join(documents)
    assert "".join("".join(part) for part in parts) == whole
    assert all(piece for part in parts for piece in part)
    for part, share in zip(parts[1:], shares, strict=True):
        assert abs(len("".join(part)) - share * len(whole)) <= 1


@given(fraction=st.floats(0.01, 0.99), characters=st.integers(0, 10_000))
def test_a_share_of_zero_gets_nothing(fraction, characters):
    assert split_contiguously(["x" * characters], [fraction, 0.0])[2] == []


@given(documents=st.lists(st.text("ab\n", min_size=1, max_size=40), min_size=1, max_size=60), shares=SHARES)
def test_even_splits_lose_nothing(documents, shares):
    parts = split_evenly(separated(documents), shares)
    letters = [Counter("".join(part).replace("\n", "")) for part in parts]
    assert sum(letters, Counter()) == Counter("".join(documents).replace("\n", ""))
    assert all(bool(share) or not part for share, part in zip(shares, parts[1:], strict=True))
    longest, whole = max(map(len, documents)), len("".join(documents))
    for part, share in zip(letters[1:], shares, strict=True):
        assert part.total() <= share * whole + 2 * len(documents) + longest


def test_no_language_is_held_out_whole(tmp_path):
    for language, count in (("de", 300), ("en", 300), ("fr", 30)):
        (tmp_path / language).mkdir()
        for number in range(count):
            (tmp_path / language / f"{number:03}.txt").write_text(f"{language} {number:03} says something. " * 3)
    (tmp_path / "la.txt").write_text("la 000 says something. " * 500)
    train, validation, test = splits_of(tmp_path, validation_fraction=0.1, test_fraction=0.1)
    for language in ("de", "en", "fr", "la"):
        counts = [part.count(f"{language} ") for part in (train, validation, test)]
        assert all(0.05 * sum(counts) < held < 0.15 * sum(counts) for held in counts[1:]), (language, counts)
    assert "de 010" in train + validation + test and not set(train.split("\n\n")) & set(validation.split("\n\n"))
    assert "fr " not in splits_of(tmp_path, validation_fraction=0.9, hold_out="end")[0]


def test_a_validation_file(tmp_path):
    (tmp_path / "a.txt").write_text("abc" * 9)
    (tmp_path / "b.txt").write_text("held out")
    config = TextDataConfig(str(tmp_path / "a.txt"), validation=str(tmp_path / "b.txt"))
    splits = read_splits(config)
    assert (joined(splits.train), joined(splits.validation)) == ("abc" * 9, "held out")
    assert config.without_effect()["validation_fraction"] == "data.validation gives those examples"
    assert "validation_fraction" not in TextDataConfig(config.source).without_effect()


def test_splits_of_a_file_by_hand(tmp_path):
    (tmp_path / "file.txt").write_text("0123456789é", encoding="utf-8")
    assert splits_of(tmp_path / "file.txt", validation_fraction=0.2) == ["01234567", "89é", None]
    parts = splits_of(tmp_path / "file.txt", validation_fraction=0.2, test_fraction=0.25)
    assert parts == ["012345", "67", "89é"]


def test_folder_documents_are_separated_by_a_blank_line(tmp_path):
    for name, content in {
        "1.txt": "one",
        "2.md": "two\n",
        "3.rst": "three\n\n",
        "4.txt": "",
        "sub/5.txt": "five",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    assert read_documents(str(tmp_path)) == ["one\n\n", "two\n\n", "three\n\n", "five"]
    train, validation, _ = splits_of(tmp_path, validation_fraction=0.5, hold_out="end")
    assert train + validation == "one\n\ntwo\n\nthree\n\nfive"
    assert validation == "three\n\nfive"


def test_folders_of_parts_are_the_split(tmp_path, capsys):
    for name, text in (("Train/a.txt", "train"), ("val/b.txt", "valid"), ("test/c.txt", "tests"), ("d.md", "notes")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    splits = read_splits(TextDataConfig(str(tmp_path)))
    assert (joined(splits.train), joined(splits.validation), joined(splits.test)) == ("train", "valid", "tests")
    assert "not read, outside train validation test: d.md" in capsys.readouterr().err
    (tmp_path / "val" / "b.txt").unlink()
    (tmp_path / "val").rmdir()
    assert joined(read_splits(TextDataConfig(str(tmp_path), validation_fraction=0.4)).validation) == "in"


def test_a_faulty_file_of_a_folder_is_named(tmp_path):
    (tmp_path / "good.txt").write_text("good")
    (tmp_path / "wrong.txt").write_bytes(b"a\nb\xfe")
    with pytest.raises(DataError, match=r"wrong\.txt: byte 3 \(line 2\)"):
        read_documents(str(tmp_path))


def test_missing_empty_and_short_sources(tmp_path):
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "short.txt").write_text("abcdefg")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/scan.pdf").write_text("%PDF")
    for name, problem in {
        "missing.txt": "does not exist",
        "empty.txt": "training text has 0 characters, at least 2",
        "short.txt": "validation text has 1 characters, at least 2",
        "folder": r"holds no text file; put files ending in \.txt",
    }.items():
        with pytest.raises(DataError, match=problem):
            splits_of(tmp_path / name)


def test_an_empty_test_file_is_named_itself(tmp_path):
    (tmp_path / "book.txt").write_text("abc" * 50)
    (tmp_path / "empty.txt").write_text("")
    with pytest.raises(DataError, match=r"/empty\.txt: the test text has 0 characters, at least 2"):
        splits_of(tmp_path / "book.txt", test=str(tmp_path / "empty.txt"))


def test_huge_sources_are_refused_before_they_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "MAXIMUM_BYTES", 10)
    for name in ("1.txt", "2.txt"):
        (tmp_path / name).write_text("123456")
    with pytest.raises(DataError, match="more than 10 bytes"):
        read_documents(str(tmp_path))
    (tmp_path / "1.txt").write_text("12345678901")
    with pytest.raises(DataError, match="has 11 bytes; at most 10"):
        read_documents(str(tmp_path / "1.txt"))


def test_test_text_of_its_own(tmp_path):
    (tmp_path / "train.txt").write_text("0123456789")
    (tmp_path / "test.txt").write_text("held\r\nout")
    options = {"validation_fraction": 0.2, "test": str(tmp_path / "test.txt")}
    assert splits_of(tmp_path / "train.txt", **options) == ["01234567", "89", "held\nout"]
    with pytest.raises(DataError, match=r"nowhere\.txt: does not exist"):
        splits_of(tmp_path / "train.txt", test=str(tmp_path / "nowhere.txt"))


def test_builtin_text_is_the_documentation_of_python():
    splits = read_splits(TextDataConfig())
    train, validation = joined(splits.train), joined(splits.validation)
    assert len(train) + len(validation) > 300_000 and splits.test is None
    assert len(train) == int(0.9 * (len(train) + len(validation)))
    assert train.startswith('The "assert" statement') and "pydoc_data" in splits.source
    assert splits.train.element_spec.shape == () and splits.train.element_spec.dtype == "string"


def offline(monkeypatch, tmp_path):
    """Data of TensorFlow Datasets lie in `tmp_path`, and its download cache there is empty."""
    import tensorflow_datasets as tfds

    original = tfds.builder
    monkeypatch.setattr(tfds, "builder", lambda name, data_dir=None: original(name, data_dir=str(tmp_path)))


@pytest.mark.skipif(not SHAKESPEARE.exists(), reason="needs ../shared/data")
def test_tiny_shakespeare_through_the_real_builder(monkeypatch, tmp_path):
    offline(monkeypatch, tmp_path)
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    name = "raw.gith.com_karp_char-rnn_mast_tiny_inpuhsTmqp23wELsefM53LltQrAHXha4_C6Gvwylfi3FZe0.txt"
    (downloads / name).write_bytes(SHAKESPEARE.read_bytes())
    url = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
    information = {"dataset_names": ["tiny_shakespeare"], "original_fname": "input.txt", "urls": [url]}
    (downloads / f"{name}.INFO").write_text(json.dumps(information))
    train, validation, test = splits_of("tfds:tiny_shakespeare")
    assert [len(train), len(validation), len(test)] == [1_003_854, 55_770, 55_770]
    assert (
        hashlib.sha256((train + validation + test).encode()).hexdigest()
        == hashlib.sha256(SHAKESPEARE.read_bytes()).hexdigest()
    )
    held_out = splits_of("tfds:tiny_shakespeare", test="builtin")
    assert held_out[:2] == [train, validation] and held_out[2].startswith("The ")


def test_data_sets_without_a_network_fail_soon_with_one_line(monkeypatch, tmp_path, caplog):
    import requests

    offline(monkeypatch, tmp_path)

    def unreachable(*_, **__):
        raise requests.exceptions.ConnectionError("no route\nto host")

    monkeypatch.setattr(requests.Session, "get", unreachable)
    with caplog.at_level(logging.INFO), pytest.raises(DataError, match="no network") as caught:
        splits_of("tfds:tiny_shakespeare")
    message = str(caught.value)
    assert str(tmp_path / "downloads") in message and "--data.source builtin" in message and "\n" not in message
    assert not [record for record in caplog.records if "urllib3" in record.name]


def mocked(features, rows):
    """A builder class of TensorFlow Datasets with given features and {split: [example]}, generated without files."""
    import tensorflow_datasets as tfds

    class Mocked(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

        def _split_generators(self, dl_manager):
            return {split: self._generate_examples(examples) for split, examples in rows.items()}

        def _generate_examples(self, examples):
            yield from enumerate(examples)

    return Mocked


@pytest.fixture
def builders(monkeypatch, tmp_path):
    import tensorflow_datasets as tfds

    def provide(features, rows):
        builder = mocked(features, rows)(data_dir=str(tmp_path))
        monkeypatch.setattr(tfds, "builder", lambda *_, **__: builder)

    return provide


def text_feature():
    import tensorflow_datasets as tfds

    return tfds.features.Text()


def test_data_set_with_documents_and_no_validation_split(builders):
    train = [{"text": "same\r\n", "title": "left out"}] * 10
    builders({"text": text_feature(), "title": text_feature()}, {"train": train, "test": [*train[:1], *train[:1]]})
    train, validation, test = splits_of("tfds:mocked", validation_fraction=0.2)
    assert train + validation == "same\n\n" * 9 + "same\n"
    assert len(validation) == 12 and test == "same\n\nsame\n"


def test_a_single_text_feature_of_any_name_is_taken(builders):
    builders({"poem": text_feature()}, {"train": [{"poem": "0123456789"}]})
    assert splits_of("tfds:mocked", validation_fraction=0.2, test_fraction=0.2) == ["012345", "67", "89"]


@pytest.mark.parametrize(
    ("features", "rows", "problem"),
    [
        (["question", "answer"], {"train": [{"question": "a", "answer": "b"}]}, "no single text feature"),
        (["text"], {"validation": [{"text": "abc"}]}, "no split train but validation"),
        (["text"], {"train": [{"text": b"abc\n\xff"}]}, r"split train row 0: byte 4 \(line 2\)"),
    ],
)
def test_unsuitable_data_sets(builders, features, rows, problem):
    builders({name: text_feature() for name in features}, rows)
    with pytest.raises(DataError, match=problem):
        splits_of("tfds:mocked")


def test_splits_of_mock_data(monkeypatch, tmp_path):
    import tensorflow_datasets as tfds

    original = tfds.builder

    def with_splits(name, **_):
        builder = original(name, data_dir=str(tmp_path))
        if not builder.info.splits:
            splits = [tfds.core.SplitInfo(name=split, shard_lengths=[3], num_bytes=0) for split in ("train", "test")]
            builder.info.set_splits(tfds.core.SplitDict(splits))
        return builder

    monkeypatch.setattr(tfds, "builder", with_splits)
    with tfds.testing.mock_data(num_examples=3):
        train, validation, test = splits_of("tfds:tiny_shakespeare", validation_fraction=0.5)
    assert len(train) > 2 and abs(len(train) - len(validation)) <= 1 and len(test) > 2
