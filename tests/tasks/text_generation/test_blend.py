"""The blend of network and n-grams: its parts against plain counts, and the graph against NumPy."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.contract.fitted import Fitted
from rnnapps.errors import CheckpointError, ConfigError
from rnnapps.metrics.ngram import KneserNey, discount
from rnnapps.tasks.text_generation.blend.evidence import FEATURES, Evidence, NetworkScores
from rnnapps.tasks.text_generation.blend.fit import fit_gate
from rnnapps.tasks.text_generation.blend.gate import GATE
from rnnapps.tasks.text_generation.blend.grams import BYTES_PER_GRAM, GramTable
from rnnapps.tasks.text_generation.blend.held_out import split_held_out
from rnnapps.tasks.text_generation.blend.lookup import GramLookup
from rnnapps.tasks.text_generation.blend.model import BlendedModel
from rnnapps.tasks.text_generation.held_text import HeldText
from rnnapps.tasks.text_generation.language_model import language_model, text_network
from rnnapps.tasks.text_generation.model_config import TextModelConfig
from rnnapps.tasks.text_generation.preprocessor import TextPreprocessor
from rnnapps.tasks.text_generation.scoring import network_reader, text_scorer
from rnnapps.tasks.text_generation.tokens.characters import Characters

SYMBOLS, ORDER = 6, 5
CONFIG = TextModelConfig(units=8, embedding_units=4, ngram_order=ORDER)


def text(length: int = 600, seed: int = 0) -> Any:
    """Ids from 1 that tend to go on as they did before, and end as they begin; 0, the unknown one, never comes."""
    draw = np.random.default_rng(seed)
    ids = [1, 2, 3]
    while len(ids) < length:
        ids += [3, 1, 4, 2] if draw.random() < 0.5 else draw.integers(1, SYMBOLS, 2).tolist()
    return np.array([*ids[: length - ORDER], *ids[:ORDER]], np.uint16)


@pytest.fixture(scope="module")
def table() -> GramTable:
    return GramTable.count(text(), vocabulary_size=SYMBOLS, order=ORDER, most_bytes=10**6)


@pytest.fixture(scope="module")
def model(table: GramTable) -> BlendedModel:
    """A network as it is before training, and a gate with weights of all kinds."""
    keras.utils.set_random_seed(3)
    preprocessor = TextPreprocessor(Characters("abcde"), table)
    fitted = Fitted(CONFIG, preprocessor, text_network(CONFIG, preprocessor))
    kernel = np.random.default_rng(4).normal(0, 0.5, (ORDER - 1, len(FEATURES)))
    fitted.network.get_layer(GATE).kernel.assign(kernel)
    found = language_model(fitted)
    assert isinstance(found, BlendedModel)
    return found


def grams_of(table: GramTable) -> dict[tuple[int, ...], int]:
    """N-gram -> count, as the entries say one after the other."""
    grams: list[tuple[int, ...]] = [()]
    for key in table.keys[1:].tolist():
        grams.append((*grams[key // SYMBOLS], key % SYMBOLS))
    assert grams[1:] == sorted(grams[1:], key=lambda gram: (len(gram), gram))
    return dict(zip(grams, table.counts.tolist(), strict=True))


def counted(ids: Any) -> dict[tuple[int, ...], int]:
    """The same by a dictionary: occurrences of the longest, different symbols before the others."""
    ids = ids.tolist()
    places = [tuple(ids[at : at + size]) for size in range(1, ORDER + 1) for at in range(len(ids) - size + 1)]
    before = Counter(gram[1:] for gram in set(places))
    return {gram: places.count(gram) if len(gram) == ORDER else max(before[gram], 1) for gram in set(places)}


def test_the_table_holds_every_gram_once(table: GramTable) -> None:
    assert grams_of(table) == {(): 600, **counted(text())}
    assert table.bytes == BYTES_PER_GRAM * len(table.keys)


def test_a_small_table_loses_whole_families_of_the_rarest(table: GramTable) -> None:
    """What is left of a context is all that followed it; short n-grams stay whatever they take."""
    most = table.bytes // 3
    small, whole = GramTable.count(text(), vocabulary_size=SYMBOLS, order=ORDER, most_bytes=most), grams_of(table)
    kept = grams_of(small)
    assert small.bytes <= most and kept.items() <= whole.items()
    families = {gram[:-1] for gram in kept if gram}
    assert {gram for gram in whole if gram and gram[:-1] in families} | {()} == kept.keys()
    assert {gram for gram in whole if len(gram) < 3} <= kept.keys()
    tiny = GramTable.count(text(), vocabulary_size=SYMBOLS, order=ORDER, most_bytes=1)
    assert max(map(len, grams_of(tiny))) == 2


def test_keys_are_wide_where_there_are_many_symbols(table: GramTable) -> None:
    """The entries of a text do not depend on how many symbols there might be; what is looked up does not either."""
    wide = GramTable.count(text(), vocabulary_size=2**28, order=ORDER, most_bytes=10**6)
    assert (table.keys.dtype, wide.keys.dtype, wide.bytes) == ("int32", "int64", 12 * len(wide.keys))
    for mine, theirs in zip(np.divmod(wide.keys[1:], 2**28), np.divmod(table.keys[1:], SYMBOLS), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    ids = text(80, seed=5)
    np.testing.assert_array_equal(wide.walk(ids), table.walk(ids))
    read = [
        GramLookup(each).read(tf.zeros([1, ORDER - 1], tf.int32), tf.constant(ids[None], tf.int32))
        for each in (wide, table)
    ]
    np.testing.assert_array_equal(read[0], read[1])
    np.testing.assert_array_equal(read[1][0], table.walk(ids)[:, :-1])
    mine, theirs = (GramLookup(each).followers(read[1][0]) for each in (wide, table))
    assert len(mine.counts) > 80
    for found, expected in zip(mine, theirs, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_places_are_found_again(table: GramTable) -> None:
    ids, names = text(80, seed=5), list(grams_of(table))
    for place, entries in enumerate(table.walk(ids)):
        for length, entry in enumerate(entries.tolist(), start=1):
            gram = tuple(ids[max(place + 1 - length, 0) : place + 1].tolist())
            known = len(gram) == length and gram in set(names)
            assert names[entry] == (gram if known else ())


def test_saving_and_loading(table: GramTable, tmp_path: Path) -> None:
    assert GramTable.load(tmp_path) is None
    TextPreprocessor(Characters("abcde"), table).save(tmp_path)
    first = (tmp_path / "ngrams.npz").read_bytes()
    loaded = TextPreprocessor.load(tmp_path)
    assert loaded.vocabulary.characters == "abcde" and loaded.grams is not None
    for name in ("keys", "counts", "discounts"):
        np.testing.assert_array_equal(getattr(loaded.grams, name), getattr(table, name))
    loaded.save(tmp_path)
    assert (tmp_path / "ngrams.npz").read_bytes() == first
    wide = GramTable.count(text(), vocabulary_size=2**28, order=ORDER, most_bytes=10**6)
    wide.save(tmp_path)
    assert (GramTable.load(tmp_path).keys == wide.keys).all()  # type: ignore[union-attr]
    (tmp_path / "ngrams.npz").write_bytes(first[:-20])
    with pytest.raises(CheckpointError, match=r"ngrams\.npz: is no table of n-grams"):
        TextPreprocessor.load(tmp_path)


def certain(ids: Any) -> NetworkScores:
    """What a network says that knows nothing."""
    return NetworkScores(np.full(len(ids) - 1, -np.log(SYMBOLS)), np.full(len(ids) - 1, np.log(SYMBOLS)))


def test_an_open_gate_is_kneser_ney_smoothing(table: GramTable) -> None:
    """Over the unigrams of that model in the place of the network."""
    ids, kernel = text(200, seed=6), np.zeros((ORDER - 1, len(FEATURES)))
    before = Counter(int(second) for _, second in set(itertools.pairwise(text().tolist())))
    counts = np.array([before[symbol] for symbol in range(SYMBOLS)])
    once = discount(counts[counts > 0])
    unigrams = (np.maximum(counts - once, 0) + once * (counts > 0).sum() / SYMBOLS) / counts.sum()
    network = NetworkScores(np.log(unigrams[ids[1:]]), np.ones(199))
    kernel[:, 0] = 100.0
    expected = KneserNey(text(), order=ORDER, vocabulary_size=SYMBOLS).log_probabilities(ids)[1:]
    np.testing.assert_allclose(np.log(Evidence.of(table, ids).blended(network, kernel)), expected, atol=1e-6)
    shut = Evidence.of(table, ids).blended(network, -kernel)
    np.testing.assert_allclose(np.log(shut), network.log_probability)


def test_a_long_text_is_scored_in_parts(table: GramTable, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same figures, whether they are kept or looked up anew."""
    draw = np.random.default_rng(4)
    ids, kernel = text(200, seed=6), draw.normal(0, 0.5, (ORDER - 1, len(FEATURES)))
    network = NetworkScores(np.log(draw.random(199)), draw.random(199))
    whole = Evidence.of(table, ids).blended(network, kernel)
    monkeypatch.setattr("rnnapps.tasks.text_generation.blend.evidence.PART", 67)
    parts = [part.blended(network[places], kernel) for places, part in Evidence.in_parts(table, ids)]
    assert [len(part) for part in parts] == [67, 67, 65]
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-12)


def test_the_graph_blends_as_numpy_does(model: BlendedModel, table: GramTable, monkeypatch: pytest.MonkeyPatch) -> None:
    """All probabilities add up to one, and those of the symbols that came are those of the evidence."""
    ids = text(90, seed=7)
    tokens, lengths = tf.constant(ids[None, :-1].astype(np.int32)), tf.constant([89])
    scores, _ = model.read(tokens, lengths, model.zero_states(1))
    np.testing.assert_allclose(tf.reduce_sum(tf.exp(scores), axis=-1), 1, atol=1e-5)
    held = HeldText(ids, None, 0)
    score = text_scorer(model.network, network_reader(model.network), held, table)()
    np.testing.assert_allclose(-tf.gather(scores[0], ids[1:].astype(int), batch_dims=1), score.model.losses, atol=1e-4)
    monkeypatch.setattr("rnnapps.tasks.text_generation.scoring.MOST_KEPT", 0)
    again = text_scorer(model.network, network_reader(model.network), held, table)()
    np.testing.assert_array_equal(again.model.losses, score.model.losses)
    assert score.network is not None and score.metrics()["network_nats_per_character"] == pytest.approx(
        -float(np.mean(network_reader(model.network)(ids).log_probability))
    )


def test_steps_chunks_and_padding_read_as_the_whole(model: BlendedModel) -> None:
    rows = np.stack([text(24, seed=8), text(24, seed=9)]).astype(np.int32)
    lengths = tf.constant([24, 17])
    whole, last = model.read(tf.constant(rows), lengths, model.zero_states(2))
    behind, _ = model.read_last(tf.constant(rows), lengths, model.zero_states(2))
    np.testing.assert_allclose(behind, [whole[0, 23], whole[1, 16]], atol=1e-5)
    assert not whole[1, 17:].numpy().any()
    states, found, step = model.zero_states(2), [], model.step()
    for begin, end in ((0, 0), (0, 5), (5, 6), (6, 20), (20, 24)):
        chunk = tf.constant(rows[:, begin:end])
        logits, states = model.read(chunk, tf.clip_by_value(lengths - begin, 0, end - begin), states)
        found.append(logits)
    np.testing.assert_allclose(tf.concat(found, axis=1), whole, atol=1e-5)
    for mine, theirs in zip(states, last, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)
    states = model.zero_states(2)
    for place in range(24):
        logits, states = step(tf.constant(rows[:, place]), states)
        np.testing.assert_allclose(logits[0], whole[0, place], atol=1e-5)
    np.testing.assert_array_equal(states[-1][0], last[-1][0])


def test_the_gate_finds_what_is_worth_believing(table: GramTable) -> None:
    """Beside a network that knows nothing the n-grams win; beside one that knows all, they are not believed."""
    ids = text(3000, seed=10)
    evidence = Evidence.of(table, ids)
    ignorant = certain(ids)
    nats = -np.log(evidence.blended(ignorant, fit_gate(evidence, ignorant))).mean()
    open_gate = np.zeros((ORDER - 1, len(FEATURES)))
    open_gate[:, 0] = 100.0
    assert nats < -np.log(evidence.blended(ignorant, open_gate)).mean()
    knowing = NetworkScores(np.full(2999, -0.01), np.full(2999, 0.05))
    assert evidence.believed(knowing, fit_gate(evidence, knowing)).max() < 0.05
    np.testing.assert_array_equal(fit_gate(evidence, ignorant), fit_gate(evidence, ignorant))


def test_the_fit_cannot_be_bettered_by_small_changes(table: GramTable) -> None:
    ids = text(3000, seed=11)
    evidence, network = Evidence.of(table, ids), certain(ids)
    kernel = fit_gate(evidence, network).astype(float)
    best = -np.log(evidence.blended(network, kernel)).mean()
    for context, change in itertools.product(range(ORDER - 1), (-0.3, 0.3)):
        other = kernel.copy()
        other[context, 0] += change
        assert -np.log(evidence.blended(network, other)).mean() > best - 2e-4


def test_a_network_that_hardly_learned_gets_no_huge_weights(table: GramTable) -> None:
    """Its entropies tell symbols apart by what batches of other sizes change too: no weight may make that count."""
    held_out = text(400, seed=5)
    evidence = Evidence.of(table, held_out)
    right = evidence.share[-1] > 0  # an entropy that gives the answer away, in its sixth digit
    network = NetworkScores(np.full(len(right), -np.log(SYMBOLS)), 1.7 + 1e-5 * right)
    kernel = fit_gate(evidence, network)
    assert np.abs(kernel[:, 1:]).max() <= 20.001
    other = NetworkScores(network.log_probability, network.entropy + 1e-6)
    before, after = (np.log(evidence.blended(scores, kernel)) for scores in (network, other))
    np.testing.assert_allclose(after, before, atol=5e-5)


@pytest.mark.parametrize(
    ("length", "held_out", "blocks"), [(10_000, 400, 2), (400_000, 16_000, 5), (1_300_000, 50_000, 5)]
)
def test_what_is_held_out_is_spread_over_the_text(length: int, held_out: int, blocks: int) -> None:
    ids = np.arange(length)
    learned, kept = split_held_out(ids)
    assert len(kept) == held_out
    np.testing.assert_array_equal(np.sort(np.concatenate([learned, kept])), ids)
    assert (np.diff(kept) > 1).sum() == blocks - 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"blend": "both"}, "model.blend must be one of ngram, none, not both"),
        ({"ngram_order": 2}, "model.ngram_order must be from 3 to 16, not 2"),
        ({"ngram_megabytes": 0.0}, "model.ngram_megabytes must be above 0 and at most 1,000, not 0.0"),
    ],
)
def test_settings_are_checked(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TextModelConfig(**values)
    assert TextModelConfig(blend="none", dropout=0.1).without_effect().keys() == {"ngram_order", "ngram_megabytes"}
