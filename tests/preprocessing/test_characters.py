from __future__ import annotations

import os

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from rnnapps.errors import CheckpointError
from rnnapps.preprocessing.characters import CharacterVocabulary

TEXTS = st.lists(st.text(max_size=12), min_size=1, max_size=4)
AWKWARD = ["", "a\x00b\x00", "\ufeffx\ufeff", "e\u0301 \u0301", "😀\U0010ffff\ufffe\uffff", "\u2028\r\n\t\x7f\x85"]


def ids_of(vocabulary, text):
    """The definition: one id for each element of `list(text)`."""
    return [vocabulary.characters.find(character) + 1 for character in text]


@given(texts=TEXTS, known=st.text(max_size=8))
def test_encode_equals_the_definition_on_any_unicode(texts, known):
    vocabulary = CharacterVocabulary.fit([known, *texts[:1]])
    ids, lengths = vocabulary.encode(texts)
    assert lengths.numpy().tolist() == [len(text) for text in texts]
    assert ids.dtype == lengths.dtype == tf.int32
    for row, text in zip(ids.numpy(), texts, strict=True):
        assert row.tolist() == ids_of(vocabulary, text) + [0] * (ids.shape[1] - len(text))


@given(texts=TEXTS)
def test_decode_inverts_encode_for_known_characters(texts):
    vocabulary = CharacterVocabulary.fit(texts)
    assert [text.decode() for text in vocabulary.decode(*vocabulary.encode(texts)).numpy()] == texts


def test_awkward_characters_survive():
    vocabulary = CharacterVocabulary.fit(AWKWARD)
    assert vocabulary.characters == "".join(sorted(set("".join(AWKWARD))))
    ids, lengths = vocabulary.encode(AWKWARD)
    assert lengths.numpy().tolist() == [len(text) for text in AWKWARD]
    assert [text.decode() for text in vocabulary.decode(ids, lengths).numpy()] == AWKWARD


def test_unknown_characters_by_hand():
    vocabulary = CharacterVocabulary("ba")
    ids, lengths = vocabulary.encode(["abxc", "x", ""])
    assert ids.numpy().tolist() == [[2, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert vocabulary.size == 3
    assert vocabulary.decode(ids, lengths).numpy()[0].decode() == "ab\ufffd\ufffd"
    assert vocabulary.count_unknown(ids, lengths).numpy().tolist() == [2, 1, 0]
    assert vocabulary.unknown_characters("abxcx") == {"x": 2, "c": 1}


def test_invalid_utf8_counts_as_the_replacement_character():
    vocabulary = CharacterVocabulary("a")
    ids, lengths = vocabulary.encode([b"a\xffa"])
    assert ids.numpy().tolist() == [[1, 0, 1]] and lengths.numpy().tolist() == [3]


def test_works_inside_a_graph_with_core_operations_only():
    vocabulary = CharacterVocabulary.fit(["héllo"])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def there_and_back(strings):
        return {"strings": vocabulary.decode(*vocabulary.encode(strings))}

    assert there_and_back(tf.constant(["hé", "lx"]))["strings"].numpy().tolist() == ["hé".encode(), "l\ufffd".encode()]
    operations = {operation.type for operation in there_and_back.get_concrete_function().graph.get_operations()}
    assert not [name for name in operations if "PyFunc" in name or "Table" in name]


def test_decoding_ids_outside_the_vocabulary_raises():
    with pytest.raises(tf.errors.InvalidArgumentError):
        CharacterVocabulary("ab").decode([[3]], [1])


@given(texts=TEXTS)
def test_encode_all_is_the_concatenation(texts):
    vocabulary = CharacterVocabulary.fit(texts[:1])
    dataset = tf.data.Dataset.from_tensor_slices([text.encode() for text in texts])
    assert vocabulary.encode_all(dataset).tolist() == ids_of(vocabulary, "".join(texts))
    ids, lengths = vocabulary.encode(["".join(texts)])
    assert vocabulary.encode_all(texts).tolist() == ids.numpy()[0, : int(lengths[0])].tolist()
    assert vocabulary.encode_all([]).dtype == np.uint16


def test_long_texts_are_encoded_in_pieces():
    text = "aé😀\n" * 300_000
    vocabulary = CharacterVocabulary.fit([text.encode()])
    np.testing.assert_array_equal(vocabulary.encode_all([text]), np.tile([2, 3, 4, 1], 300_000))


@given(old=st.text(max_size=10), new=TEXTS)
def test_grow_appends_and_keeps_the_old_ids(old, new):
    vocabulary = CharacterVocabulary.fit([old])
    grown = vocabulary.grow(new)
    assert grown.characters.startswith(vocabulary.characters)
    assert set(grown.characters) == set(old).union(*new)
    assert vocabulary.encode([old])[0].numpy().tolist() == grown.encode([old])[0].numpy().tolist()
    assert [text.decode() for text in grown.decode(*grown.encode(new)).numpy()] == new


@given(text=st.text())
def test_save_and_load(text, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "preprocessing"
    CharacterVocabulary.fit([text]).grow(["zé\x00😀"]).save(folder)
    assert CharacterVocabulary.load(folder).characters == CharacterVocabulary.fit([text]).grow(["zé\x00😀"]).characters
    assert [path.name for path in folder.iterdir()] == ["characters.json"]


@pytest.mark.parametrize(
    "content", ["", "[1]", '{"characters": 3}', '{"characters": "aa"}', '{"characters": "\\ud800"}', "\xff"]
)
def test_broken_files_are_one_clear_error(tmp_path, content):
    (tmp_path / "characters.json").write_text(content, encoding="latin-1")
    with pytest.raises(CheckpointError, match=r"characters\.json: .*(restore|again)"):
        CharacterVocabulary.load(tmp_path)


def test_missing_or_unwritable_folder(tmp_path):
    with pytest.raises(CheckpointError, match="cannot be read"):
        CharacterVocabulary.load(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="cannot be written"):
        CharacterVocabulary("a").save(tmp_path / "file")


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    CharacterVocabulary("ab").save(tmp_path)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match="No space left"):
        CharacterVocabulary("abc").save(tmp_path)
    assert CharacterVocabulary.load(tmp_path).characters == "ab"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("characters", ["aba", "a\ud800"])
def test_bad_characters_are_refused(characters):
    with pytest.raises(ValueError, match=r"repeat|surrogates"):
        CharacterVocabulary(characters)
