"""Words and subwords as tokens: nothing of a text is lost, and a prompt may end anywhere."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnapps.errors import CheckpointError
from rnnapps.tasks.text_generation.tokens.fit import fit_text_pieces, grow_text_pieces
from rnnapps.tasks.text_generation.tokens.pieces import TextPieces
from rnnapps.tasks.text_generation.tokens.stretches import stretches

TEXT = "The quick (brown) fox isn't quick; the fox  sat.\n\n\tIt ran 42 times,\n    then quit quietly — naïvely.\n" * 3
AWKWARD = (
    "",
    " ",
    "  a",
    "\n \n",
    "a  b",
    "☃ fox☃☃",
    "##quick",
    "qui▁ck",
    "\ufffd",
    "x" * 250,
    " 12 3",
    "fox \n",
    "The",
)
PLAYGROUND = Path(__file__).parents[3] / "rnnapps" / "tasks" / "text_generation" / "playground"


@pytest.fixture(scope="module", params=["words", "subwords"])
def vocabulary(request: pytest.FixtureRequest) -> TextPieces:
    found = fit_text_pieces([TEXT], subwords=request.param == "subwords", size=160)
    assert found.kind == request.param and found.size <= 160
    return found


def written(vocabulary: TextPieces, text: str) -> list[str]:
    """The tokens of a text as they are written."""
    return [vocabulary.texts[number] for number in vocabulary.encode_all([text])]


def known(vocabulary: TextPieces, text: str) -> str:
    """The text with U+FFFD for each unknown character."""
    return "".join(c if c in vocabulary.known else "\ufffd" for c in text)


def test_words_are_runs_of_letters_and_marks_with_the_space_before_them() -> None:
    words = fit_text_pieces(["a\tb (c) 12  d \n\n e"] * 2, subwords=False, size=200)
    found = words.split(tf.constant(["ab (c) 12  d \n\n e☃ f"]))
    starts = [*np.flatnonzero(found.first), len(found.points)]
    letters = "".join(map(chr, found.points.numpy())).replace("▁", " ")
    assert [letters[a:b] for a, b in itertools.pairwise(starts)] == [
        *("ab", " (", "c", ")", " 1", "2", " ", " d", " ", "\n\n", " e", "\ufffd", " ", "\ufffd")
    ]


@settings(max_examples=25, deadline=None)
@given(st.text(st.sampled_from("Thequickfox ☃▁#\n\t.1\ufffd("), max_size=40))
def test_nothing_is_lost(vocabulary: TextPieces, text: str) -> None:
    assert "".join(written(vocabulary, text)) == known(vocabulary, text)


@pytest.mark.parametrize("text", AWKWARD)
def test_awkward_texts_come_back_from_the_graph(vocabulary: TextPieces, text: str) -> None:
    ids, lengths = vocabulary.encode(tf.constant([text, TEXT]))
    assert vocabulary.decode(ids, lengths).numpy()[0].decode() == known(vocabulary, text)
    np.testing.assert_array_equal(ids[0, : lengths[0]], vocabulary.encode_all([text]))
    assert vocabulary.count_unknown_of(tf.constant([text])).numpy() == [known(vocabulary, text).count("\ufffd")]


def test_frequent_words_are_one_token_and_rare_ones_are_spelled() -> None:
    words = fit_text_pieces([TEXT, "rarely"], subwords=False, size=160)
    assert written(words, "The quick fox rarely") == ["The", " quick", " fox", " ", "r", "a", "r", "e", "l", "y"]
    assert written(words, " quickly") == [" quick", "l", "y"]
    subwords = fit_text_pieces([TEXT], subwords=True, size=160)
    assert " quick" in written(subwords, "a quickly") and len(written(subwords, "a quickly")) < len("a quickly")


def test_long_texts_are_cut_where_words_begin(vocabulary: TextPieces, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = vocabulary.encode_all([TEXT])
    monkeypatch.setattr("rnnapps.tasks.text_generation.tokens.stretches.SHORTEST", 7)
    assert len(list(stretches([TEXT]))) > 10 and "".join(stretches([TEXT])) == TEXT
    np.testing.assert_array_equal(vocabulary.encode_all([TEXT.encode()]), whole)
    np.testing.assert_array_equal(vocabulary.encode_all(tf.data.Dataset.from_tensors(TEXT)), whole)


def test_an_unfinished_word_is_left_out_where_tokens_begin_with_it(vocabulary: TextPieces) -> None:
    prompts = ["The qui", "fox ", "fox  ", "fox.", "", "The", "a uuu"]
    opened = vocabulary.open(tf.constant(prompts))
    read = vocabulary.decode(opened.ids, opened.lengths).numpy()
    assert [text.decode() for text in read] == ["The", "fox", "fox ", "fox.", "\n", "\n", "a uuu"]
    assert opened.given.numpy().tolist() == [4, 1, 1, 0, 0, 3, 0]
    assert opened.unknown.numpy().tolist() == [0] * 7
    allowed = [{vocabulary.texts[number] for number in np.flatnonzero(row)} for row in opened.allowed]
    assert " quick" in allowed[0] and all(text.startswith(" qui") for text in allowed[0])
    assert allowed[1] == allowed[2] == {text for text in vocabulary.texts if text.startswith(" ")}
    assert all(len(found) == len(set(vocabulary.texts)) for found in (allowed[3], allowed[4], allowed[6]))
    assert "The" in allowed[5] and " The" not in allowed[5]


def test_texts_behind_prompts(vocabulary: TextPieces) -> None:
    """What begins in the prompt and ends in the text is the text's; something is always read before it."""
    pairs = [("The", " quick fox"), ("The qui", "ck fox"), ("T", "he"), ("", "It"), ("fox", "")]
    behind = vocabulary.encode_behind(*(tf.constant(side) for side in zip(*pairs, strict=True)))
    judged, read = [], []
    for ids, begin, count in zip(*(part.numpy() for part in behind), strict=True):
        read.append("".join(vocabulary.texts[number] for number in ids[:begin]))
        judged.append("".join(vocabulary.texts[number] for number in ids[begin : begin + count]))
    assert judged == [" quick fox", " quick fox", "The", "It", ""]
    assert read == ["The", "The", "\n", "\n", "fox"]


def test_saved_and_grown(vocabulary: TextPieces, tmp_path: Path) -> None:
    new = "The zebra zigzags; a zebra zigzags!\n" * 3
    grown = grow_text_pieces(vocabulary, [new], most=12)
    assert grown.names[: vocabulary.size] == vocabulary.names and vocabulary.size < grown.size <= vocabulary.size + 12
    assert grown.known >= {"z", "!"} and len(written(grown, new)) < len(written(vocabulary, new))
    grown.save(tmp_path)
    loaded = TextPieces.load(tmp_path)
    assert (loaded.names, loaded.merges, loaded.kind) == (grown.names, grown.merges, vocabulary.kind)
    content = json.loads((tmp_path / "pieces.json").read_text())
    (tmp_path / "pieces.json").write_text(json.dumps(content | {"lowercase": True}))
    with pytest.raises(CheckpointError, match="it is one of translation"):
        TextPieces.load(tmp_path)


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_the_playground_reads_prompts_as_the_model_does(vocabulary: TextPieces, tmp_path: Path) -> None:
    vocabulary.save(tmp_path)
    prompts = [*AWKWARD, TEXT, TEXT[:31], "The qui", "fox  ", "naïv"]
    script = f"""
        import {{ readFileSync }} from "node:fs";
        import {{ textTokens }} from {json.dumps((PLAYGROUND / "tokens.js").as_uri())};
        const file = readFileSync({json.dumps(str(tmp_path / "pieces.json"))}, "utf-8");
        const tokens = textTokens({{ "pieces.json": JSON.parse(file) }});
        const opened = {json.dumps(prompts)}.map((prompt) => tokens.open(prompt));
        const plain = opened.map((own) => ({{ ...own, allowed: own.allowed && [...own.allowed] }}));
        console.log(JSON.stringify([tokens.texts, plain]));"""
    (tmp_path / "try.mjs").write_text(script, encoding="utf-8")
    ran = subprocess.run(["node", tmp_path / "try.mjs"], capture_output=True, check=True, timeout=60)
    texts, found = json.loads(ran.stdout)
    assert texts == vocabulary.texts
    opened = vocabulary.open(tf.constant(prompts))
    for row, own in enumerate(found):
        assert own["ids"] == opened.ids[row, : opened.lengths[row]].numpy().tolist(), prompts[row]
        assert own["given"] == opened.given[row].numpy()
        allowed = np.flatnonzero(opened.allowed[row]).tolist()
        assert (own["allowed"] or list(range(vocabulary.size))) == allowed
