"""A model of words or subwords as the verbs see it: written, streamed, scored, and compared with other kinds."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.config import TrainingConfig
from rnnapps.contract.fitted import Fitted
from rnnapps.errors import ConfigError
from rnnapps.tasks.text_generation.data.config import TextDataConfig
from rnnapps.tasks.text_generation.data.text import joined
from rnnapps.tasks.text_generation.held_text import HeldText, beginning, naive_scores
from rnnapps.tasks.text_generation.model_config import TextModelConfig
from rnnapps.tasks.text_generation.pipeline import PIPELINE, Config, PredictOptions
from rnnapps.tasks.text_generation.stops import before_stops, until_stop
from rnnapps.tasks.text_generation.tokens.characters import Characters
from tests.tasks.text_generation.small import untrained, write_words

MODEL = TextModelConfig(units=8, embedding_units=4, ngram_order=4)
GREEDY = PredictOptions(length=4, temperature=0.0)


@pytest.fixture(scope="module", params=["subwords", pytest.param("words", marks=pytest.mark.slow)])
def config(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Config:
    source = write_words(tmp_path_factory.mktemp("words") / "words.txt", 12_000)
    data = TextDataConfig(source=str(source), tokens=request.param, vocabulary=90)
    return Config(data=data, model=MODEL, training=TrainingConfig(batch_size=4, window_steps=16))


@pytest.fixture(scope="module")
def splits(config: Config) -> Any:
    return PIPELINE.examples(config)


@pytest.fixture(scope="module")
def validated(config: Config, splits: Any) -> tuple[Fitted[Any, Any], dict[str, float]]:
    """A model whose network is as it begins, and what validation told; what the model knows, it knows by n-grams."""
    found = untrained(config, splits)
    return found, PIPELINE.objective(found, splits).validate()


@pytest.fixture(scope="module")
def fitted(validated: tuple[Fitted[Any, Any], dict[str, float]]) -> Fitted[Any, Any]:
    return validated[0]


def test_prompts_may_end_within_a_word(fitted: Fitted[Any, Any]) -> None:
    (found,) = PIPELINE.predict(fitted, dataclasses.replace(GREEDY, prompt=" zoo kni"))
    assert found.text.startswith("ght ") and len(found.text.split()) == 4
    (again,) = PIPELINE.predict(fitted, dataclasses.replace(GREEDY, prompt=" zoo "))
    assert not again.text.startswith(" ") and set(again.text) <= set("".join(fitted.preprocessor.vocabulary.known))


def test_texts_end_before_a_stop_wherever_tokens_do(fitted: Fitted[Any, Any]) -> None:
    options = PredictOptions(prompt="zoo ri", length=12, temperature=1.0, seed=4)
    (whole,) = PIPELINE.predict(fitted, options)
    stop = whole.text[9:13]
    cut = dataclasses.replace(options, stop=stop)
    (found,) = PIPELINE.predict(fitted, cut)
    assert found.text == whole.text[: whole.text.index(stop)]
    assert "".join(PIPELINE.stream(fitted, cut)) == "zoo ri" + found.text
    assert "".join(PIPELINE.stream(fitted, options)) == "zoo ri" + whole.text


def test_stops_of_any_texts() -> None:
    rows = [("abcabc", "ca"), ("abc", ""), ("", "a"), ("äöü☃", "ü"), ("aaab", "aab"), ("ab", "abc")]
    found = before_stops(*(tf.constant(side) for side in zip(*rows, strict=True)))
    expected = ["ab", "abc", "", "äö", "a", "ab"]
    assert [text.decode() for text in found.numpy()] == expected
    for (text, stop), wanted in zip(rows, expected, strict=True):
        assert "".join(until_stop(text, stop)) == wanted  # character by character


def test_kinds_of_tokens_compare(
    config: Config, splits: Any, validated: tuple[Fitted[Any, Any], dict[str, float]]
) -> None:
    """Nats are those of all tokens, over the characters and words that these tokens stand for."""
    vocabulary = validated[0].preprocessor.vocabulary
    text, ids = joined(splits.validation), vocabulary.encode_all(splits.validation)
    values = {name.removeprefix("validation_"): own for name, own in validated[1].items()}
    characters = len(text) - len(vocabulary.texts[ids[0]])
    nats = values["nats_per_character"] * characters
    assert len(ids) < characters / 3
    assert values["perplexity_per_word"] == pytest.approx(math.exp(nats / len(text.split())))
    assert values["perplexity_per_word"] == pytest.approx(8, rel=0.1)  # 8 words, drawn uniformly
    baselines = naive_scores(vocabulary, splits.train, splits.validation)
    spelled = Characters(Characters.fit(splits.train).characters)
    (alone,) = (own for name, own in naive_scores(spelled, splits.train, splits.validation).items() if "gram K" in name)
    (grams,) = (own for name, own in baselines.items() if name.endswith("Kneser-Ney of characters"))
    assert grams.nats_per_character == pytest.approx(alone.losses[-characters:].sum() / characters, rel=1e-6)
    assert f"unigram of {config.data.tokens}" in baselines and all(
        len(own.losses) == len(ids) - 1 for own in baselines.values()
    )


def test_scores_are_of_the_text_behind_the_prompt(fitted: Fitted[Any, Any]) -> None:
    score = PIPELINE.endpoints(fitted)["score"].function
    found = score(tf.constant(["zoo kni", "zoo"]), tf.constant(["ght river", " knight river zoo"]))
    pieces = [[piece.decode() for piece in row] for row in found["pieces"].numpy()]
    assert "".join(pieces[0]) == " knight river" and "".join(pieces[1]) == " knight river zoo"
    common = sum(bool(piece) for piece in pieces[0])
    np.testing.assert_allclose(
        found["log_probabilities"][0, :common], found["log_probabilities"][1, :common], rtol=1e-4
    )
    assert found["characters"].numpy().tolist() == [9, 17]
    np.testing.assert_allclose(tf.reduce_sum(found["log_probabilities"], axis=1), found["log_probability"], rtol=1e-5)


def test_the_beginning_of_a_text_is_measured_in_characters(fitted: Fitted[Any, Any], splits: Any) -> None:
    vocabulary = fitted.preprocessor.vocabulary
    ids = vocabulary.encode_all(splits.validation)
    found = beginning(ids, vocabulary, 40)
    assert joined(splits.validation).startswith(text := "".join(vocabulary.texts[number] for number in found))
    assert len(text) <= 40 < len(text) + len(vocabulary.texts[ids[len(found)]])
    assert len(beginning(ids, vocabulary, 1)) == 2


def test_texts_without_words_have_no_perplexity_of_them(fitted: Fitted[Any, Any]) -> None:
    vocabulary = fitted.preprocessor.vocabulary
    assert HeldText.of(vocabulary, tf.data.Dataset.from_tensors("z" * 60)).words == 0
    assert "perplexity_per_word" not in HeldText(np.zeros(3, int), None, 0).score(np.ones(2)).metrics()
    assert HeldText(np.zeros(3, int), None, 1).score(np.full(2, 900.0)).metrics()["perplexity_per_word"] == math.inf


def test_other_tokens_than_the_models_are_refused(
    config: Config, fitted: Fitted[Any, Any], splits: Any, tmp_path: Path
) -> None:
    other = dataclasses.replace(config, data=TextDataConfig(source=config.data.source))
    with pytest.raises(ConfigError, match=r"data\.tokens is characters, but the model was trained on"):
        PIPELINE.grow_preprocessor(other, fitted.preprocessor, splits)
    with pytest.raises(ConfigError, match=f"trained on {config.data.tokens}, and reads nothing else"):
        PIPELINE.evaluate(Fitted(other, fitted.preprocessor, fitted.network), splits)
    fitted.preprocessor.save(tmp_path)
    loaded = PIPELINE.load_preprocessor(tmp_path)
    assert loaded.vocabulary.names == fitted.preprocessor.vocabulary.names and loaded.grams is not None
