"""Addresses, placeholders, tags and numbers come out of a translation as they went in, whatever the network writes."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.errors import CheckpointError
from rnnapps.preprocessing.piece_kinds import PieceKind
from rnnapps.tasks.translation.batches import encode_training_pairs
from rnnapps.tasks.translation.copied_spans import SYMBOLS, CopiedSpans, matched
from rnnapps.tasks.translation.data.config import PairDataConfig
from rnnapps.tasks.translation.data.pairs import Pair
from rnnapps.tasks.translation.decoding import translator
from rnnapps.tasks.translation.endpoints import translation_endpoints
from rnnapps.tasks.translation.export_config import TranslationExportConfig
from rnnapps.tasks.translation.fit_copies import fit_copies
from rnnapps.tasks.translation.model_config import DecodingConfig, TranslationModelConfig
from rnnapps.tasks.translation.network import translation_network
from rnnapps.tasks.translation.practice import practice_pairs
from rnnapps.tasks.translation.vocabularies import PairVocabularies

KINDS = PairDataConfig().copied
ALL = CopiedSpans(KINDS, separated=True, least_digits=1)
PAIRS = [Pair(f"das {a} {b}.", f"the {b} {a}.") for a in ("Haus", "Tal") for b in ("alt", "rot", "neu")]
SENTENCES = 500


def masked(copies: CopiedSpans, *sentences: str) -> list[tuple[str, list[str]]]:
    found = copies.mask(tf.constant(sentences))
    plain = str.maketrans(dict(zip(SYMBOLS, "0123456789abcdefghij", strict=True)))
    rows = zip(found.texts.numpy(), found.spans.numpy(), strict=True)
    return [(text.decode().translate(plain), [span.decode() for span in row if span]) for text, row in rows]


@pytest.mark.parametrize(
    ("sentence", "text", "spans"),
    [
        ("", "", []),
        ("Guten Tag!", "Guten Tag!", []),
        ("(siehe https://a.example/b?c=1&d=%20#e).", "(siehe 0).", ["https://a.example/b?c=1&d=%20#e"]),
        ("An max.muster+x@mail.example.de, bitte", "An 0, bitte", ["max.muster+x@mail.example.de"]),
        ("{0} von {name} und ${x:.2f}", "0 von 1 und 2", ["{0}", "{name}", "${x:.2f}"]),
        ("%s, %(size)d, %1$s, %.2f", "0, 1, 2, 3", ["%s", "%(size)d", "%1$s", "%.2f"]),
        ("20%ige Lauge, 100% sicher", "0%ige Lauge, 1% sicher", ["20", "100"]),
        ("<b>fett</b> &amp; <br/>2 < 3", "0fett1 2 34 < 5", ["<b>", "</b>", "&amp;", "<br/>", "2", "3"]),
        ("4711, -12 und 1,234.50 um 12:30", "0, -1 und 2 um 3", ["4711", "12", "1,234.50", "12:30"]),
        ("٣ ５", "0 1", ["٣", "５"]),
        (f"selbst {SYMBOLS[3]}", "selbst 0", [SYMBOLS[3]]),
    ],
)
def test_what_is_hidden(sentence: str, text: str, spans: list[str]) -> None:
    assert masked(ALL, sentence) == [(text, spans)]


def test_rows_do_not_see_one_another_and_more_than_twenty_stay() -> None:
    long = " ".join(map(str, range(100, 125)))
    together, alone = masked(ALL, "", long, "7"), masked(ALL, long)
    assert together[1] == alone[0] and together[2] == ("0", ["7"])
    assert together[1][1] == [str(n) for n in range(100, 120)] and together[1][0].endswith("i j 120 121 122 123 124")


def test_short_numbers_are_left_to_the_network() -> None:
    copies = CopiedSpans(KINDS, separated=False, least_digits=3)
    assert masked(copies, "12 mal 1,234.50 im März 2024", "3") == [
        ("12 mal 1,0.50 im März 1", ["234", "2024"]),
        ("3", []),
    ]
    assert masked(CopiedSpans(["tags"], separated=False, least_digits=0), "<i>5</i>") == [("051", ["<i>", "</i>"])]


def test_spans_find_their_twins() -> None:
    spans = tf.constant([["b", "a", "a", "", "a", "c"]])
    np.testing.assert_array_equal(matched(spans, tf.constant([["a", "b", "a", ""]])), [[1, 0, 2, -1, -1, -1]])


def test_training_hides_what_both_sides_hold() -> None:
    sides = ALL.mask_shared(tf.constant(["{0} um 3 PM, {1}"]), tf.constant(["{1}: {0} um 15 Uhr"]), tf.constant([18]))
    source, target = (side.numpy()[0].decode() for side in sides)
    first, last = SYMBOLS[18], SYMBOLS[0]  # the third span of the sentence, of 20 symbols begun at 18, is number 0
    assert (source, target) == (f"{first} um 3 PM, {last}", f"{last}: {first} um 15 Uhr")


def test_how_numbers_are_copied_is_learned() -> None:
    draw = random.Random(0)
    hours = [Pair(f"at {n} PM in {1900 + n}", f"um {12 + n} Uhr {1900 + n}") for n in range(1, 12)]
    amounts = [Pair(f"$1,{n}.50", f"1.{n},50 $") for n in (draw.randrange(100, 999) for _ in range(40))]
    assert vars(fit_copies(KINDS, [*hours * 20, *amounts])) | {"_pattern": ""} == {
        "kinds": KINDS,
        "separated": False,
        "least_digits": 3,
        "_pattern": "",
    }
    same = fit_copies(KINDS, [Pair(f"Nr. {n}.5", f"no. {n}.5") for n in range(30)])
    assert same.separated and same.least_digits == 1
    spelled = fit_copies(KINDS, [Pair(f"im Jahr {n}", "in a year") for n in range(1900, 1930)])
    assert spelled.least_digits == 0
    assert fit_copies(KINDS, PAIRS).least_digits == 1, "nothing says that numbers are not copied"


def test_practice_replaces_words_and_their_translations() -> None:
    pairs = PAIRS * 20
    made = practice_pairs(pairs, seed=1)
    assert len(made) == len(pairs) // 10 and made == practice_pairs(pairs, seed=1) != practice_pairs(pairs, seed=2)
    spans = [tuple(sorted(masked(ALL, text)[0][1]) for text in pair) for pair in made]
    assert all(source == target and source for source, target in spans)
    assert practice_pairs([], seed=0) == [] == practice_pairs([Pair("1 2", "3")] * 40, seed=0)


def model(tokens: PieceKind, **decoding: Any) -> tuple[keras.Model, PairVocabularies, DecodingConfig]:
    """A network that was never trained, so that it writes anything at all."""
    config = PairDataConfig(tokens=tokens, source_vocabulary=60, target_vocabulary=60)
    vocabularies = PairVocabularies.fit(config, PAIRS)
    keras.utils.set_random_seed(5)
    sizes = TranslationModelConfig(units=6, encoder_units=5, embedding_units=4)
    network = translation_network(sizes, vocabularies.source.size, vocabularies.target.size)
    for weight in network.weights:
        weight.assign(weight * 3)
    return network, vocabularies, DecodingConfig(**decoding)


def generated(count: int) -> list[tuple[str, list[str]]]:
    """Sentences, and what is to be copied of each."""
    draw = random.Random(7)
    makers = (
        lambda: f"https://www.example.org/{draw.choice('abc')}/{draw.randrange(10**6)}?q={draw.choice('xyz')}%20",
        lambda: f"{draw.choice(('max', 'a.b', 'x_y+z'))}{draw.randrange(99)}@mail-{draw.randrange(9)}.example.com",
        lambda: draw.choice(("{0}", "{1}", "{name}", "{{x}}", "%s", "%d", "%(count)s", "%1$s", "${total}")),
        lambda: draw.choice(("<b>", "</b>", '<a href="/x?y=1">', "<br/>", "&nbsp;", "&#233;")),
        lambda: str(draw.randrange(10 ** draw.randint(1, 9))),
        lambda: f"{draw.randrange(10**4):,}.{draw.randrange(100):02}",
    )
    rows = []
    for _ in range(count):
        spans = [draw.choice(makers)() for _ in range(draw.randint(1, 5))]
        words = draw.choices(["das", "Haus", "Tal", "alt", "rot", "neu", "Zebra"], k=draw.randint(0, 6))
        parts = [*words, *spans]
        draw.shuffle(parts)
        rows.append((" ".join(parts), spans))
    return rows


@pytest.mark.parametrize(
    ("tokens", "beams"), [("words", 1), *(pytest.param("subwords", beams, marks=pytest.mark.slow) for beams in (1, 3))]
)
def test_five_hundred_sentences_keep_what_is_copied(tokens: PieceKind, beams: int) -> None:
    network, vocabularies, decoding = model(tokens, beam_width=beams)
    rows = generated(SENTENCES)
    results = translator(network, vocabularies, decoding)([sentence for sentence, _ in rows])
    hidden = vocabularies.read(tf.constant([sentence for sentence, _ in rows])).spans
    assert hidden is not None
    for (sentence, spans), (best,), found in zip(rows, results, hidden.numpy(), strict=True):
        copied, rest = [span.decode() for span in found if span], best.text
        assert all(any(span in other for other in copied) for span in spans), (sentence, copied)
        for span in sorted(copied, key=len, reverse=True):
            assert span in rest, (sentence, best.text)
            rest = rest.replace(span, "\0", 1)
        assert rest.count("\0") == len(copied), "each once"
    appended = sum(best.appended for (best,) in results)
    assert appended > 0, "an untrained network leaves some out, which is told"


@pytest.mark.slow
def test_an_export_gives_what_python_gives_and_scores_what_is_copied() -> None:
    network, vocabularies, decoding = model("subwords", beam_width=2)
    endpoints = translation_endpoints(network, vocabularies, decoding, TranslationExportConfig())
    sentence = "das Haus 4711 {0} rot"
    answer = endpoints["serving_default"].function(tf.constant([sentence]))
    (best,) = translator(network, vocabularies, decoding)([sentence])[0]
    assert answer["translation"][0] == best.text.encode() and int(answer["appended"][0]) == best.appended
    pieces = [piece.decode() for piece in answer["source_pieces"].numpy()[0]]
    assert "4711" in pieces and "{0}" in pieces
    given = endpoints["score"].function(tf.constant([sentence]), tf.constant(["the {0} 4711"]))
    assert {"4711", "{0}"} <= {piece.decode() for piece in given["target_pieces"].numpy()[0]}
    other = endpoints["score"].function(tf.constant([sentence.replace("4711", "99")]), tf.constant(["the {0} 99"]))
    np.testing.assert_allclose(given["log_probability"], other["log_probability"], atol=1e-6)


def test_preprocessors_with_and_without_copies_are_stored(tmp_path: Path) -> None:
    _, vocabularies, _ = model("wordpieces")
    vocabularies.save(tmp_path)
    again = PairVocabularies.load(tmp_path)
    assert again.copies is not None and vars(again.copies) == vars(vocabularies.copies)
    text = tf.constant(["rot 12, {0}!"])
    for part, other in zip(again.read(text), vocabularies.read(text), strict=True):
        np.testing.assert_array_equal(part, other)
    (tmp_path / "copies.json").write_text('{"kinds": ["cats"], "separated": true, "least_digits": 1}')
    with pytest.raises(CheckpointError, match=r"copies\.json: does not say what is copied"):
        PairVocabularies.load(tmp_path)
    (tmp_path / "copies.json").unlink()
    old = PairVocabularies.load(tmp_path)
    assert old.copies is None and old.read(text).spans is None, "as runs of earlier versions were"


def test_growing_keeps_the_symbols() -> None:
    _, vocabularies, _ = model("subwords")
    grown = vocabularies.grow(PairDataConfig(tokens="subwords"), [Pair("xyxy 5 xyxy", "zz 5 zz")] * 5)
    assert grown.target.size > vocabularies.target.size and grown.copies is vocabularies.copies
    assert grown.target.names[: vocabularies.target.size] == vocabularies.target.names
    (read,) = grown.read(tf.constant(["xyxy 5"])).texts.numpy()
    assert b"5" in read


def test_training_pairs_hold_symbols_of_all_numbers() -> None:
    _, vocabularies, _ = model("subwords")
    pairs = [Pair(f"das {n} Haus", f"the {n} Haus") for n in range(100, 160)]
    encoded = encode_training_pairs(vocabularies, pairs, seed=0)
    first = [vocabularies.target.names.index(SYMBOLS[0]) + number for number in range(len(SYMBOLS))]
    for source, target in zip(encoded.sources, encoded.targets, strict=True):
        own = vocabularies.source.names.index(SYMBOLS[0])
        assert sorted(i - own for i in source if 0 <= i - own < 20) == sorted(
            i - first[0] for i in target if i in first
        )
    assert set(first) <= {number for row in encoded.targets for number in row}
