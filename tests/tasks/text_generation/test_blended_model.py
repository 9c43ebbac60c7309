"""A blended text model as the verbs see it: what is held out, fitted, scored, told and exported."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from rnnapps.config import TrainingConfig
from rnnapps.contract.fitted import Fitted
from rnnapps.metrics.verdict import judge
from rnnapps.tasks.text_generation.blend.gate import GATE
from rnnapps.tasks.text_generation.blend.grams import GramTable
from rnnapps.tasks.text_generation.blend.held_out import split_held_out
from rnnapps.tasks.text_generation.data.config import TextDataConfig
from rnnapps.tasks.text_generation.model_config import TextModelConfig
from rnnapps.tasks.text_generation.pipeline import PIPELINE, Config
from tests.tasks.text_generation.small import untrained, write_words

MODEL = TextModelConfig(units=8, embedding_units=4, ngram_order=6)
TRAINING = TrainingConfig(batch_size=4, window_steps=16)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    source = write_words(tmp_path_factory.mktemp("words") / "words.txt", 2000)
    return Config(data=TextDataConfig(source=str(source)), model=MODEL, training=TRAINING)


@pytest.fixture(scope="module")
def splits(config: Config) -> Any:
    return PIPELINE.examples(config)


@pytest.fixture(scope="module")
def fitted(config: Config, splits: Any) -> Fitted[Any, Any]:
    """The network is as it begins."""
    return untrained(config, splits)


def counted(config: Config, ids: Any, size: int) -> GramTable:
    return GramTable.count(ids, vocabulary_size=size, order=config.model.ngram_order, most_bytes=20_000_000)


def test_validation_fits_the_gate_to_text_that_neither_part_has_seen(
    config: Config, splits: Any, fitted: Fitted[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shipped counts are of all training text, those beside the held-out blocks of the rest, as the batches are."""
    ids = fitted.preprocessor.vocabulary.encode_all(splits.train)
    learned, held_out = split_held_out(ids)
    seen: dict[str, Any] = {}

    def fitter(network: keras.Model, table: GramTable, text: Any, scores: Any) -> Any:
        seen.update(table=table, text=text, scores=scores())
        return lambda: network.get_layer(GATE).kernel.assign(np.full((5, 5), -50.0))

    monkeypatch.setattr("rnnapps.tasks.text_generation.objective.gate_fitter", fitter)
    objective = PIPELINE.objective(fitted, splits)
    values = objective.validate()
    np.testing.assert_array_equal(seen["text"], held_out)
    assert len(seen["scores"].log_probability) == len(held_out) - 1
    for table, text in ((seen["table"], learned), (fitted.preprocessor.grams, ids)):
        np.testing.assert_array_equal(table.keys, counted(config, text, fitted.preprocessor.size).keys)
    assert objective.sequences == len(learned) / TRAINING.window_steps
    assert values["validation_nats_per_character"] == pytest.approx(
        values["validation_network_nats_per_character"], abs=1e-9
    )


def test_the_blend_is_scored_beside_its_network(splits: Any, fitted: Fitted[Any, Any]) -> None:
    """A network that learned nothing, and n-grams that know the words: the blend is near the latter."""
    objective = PIPELINE.objective(fitted, splits)
    values = objective.validate()
    kernel = np.array(fitted.network.get_layer(GATE).kernel)
    assert objective.validate() == values
    np.testing.assert_array_equal(fitted.network.get_layer(GATE).kernel, kernel)
    evaluation = PIPELINE.evaluate(fitted, splits)
    assert evaluation.metrics["nats_per_character"] == values["validation_nats_per_character"]
    (alone,) = evaluation.alone.values()
    assert alone["nats_per_character"] == values["validation_network_nats_per_character"]
    grams = min(metrics["nats_per_character"] for metrics in evaluation.baselines.values())
    assert evaluation.metrics["nats_per_character"] < 1.1 * grams < 0.5 * alone["nats_per_character"]
    assert judge(evaluation, higher_is_better=frozenset()).model == evaluation.metrics["nats_per_character"]
    assert [name for name, _ in evaluation.rows("model")][:2] == ["model", "network alone"]
    surprise, section = PIPELINE.report_sections(fitted, splits, [])
    assert surprise.title == "What surprised the model"
    shares = [row[-1] for row in section.blocks[0].rows]
    assert sum(shares) == pytest.approx(1, abs=1e-6) and len(shares) == MODEL.ngram_order


def test_what_is_told_of_it(fitted: Fitted[Any, Any]) -> None:
    grams = fitted.preprocessor.grams
    (told,) = PIPELINE.card_facts(fitted).values()
    assert told == f"{grams.entries - 1:,} of up to 6 characters, {grams.bytes / 1e6:.1f} MB in the graph"
    leaving = PIPELINE.portable_endpoints(fitted)
    assert leaving.keys() == {"tensors", "step"}
    assert all("without the n-grams" in endpoint.summary for endpoint in leaving.values())
    assert "state_1" not in leaving["step"].input_signature
    assert PIPELINE.endpoints(fitted)["step"].input_signature["state_1"].dtype == "int32"


def test_fine_tuning_counts_the_new_text(config: Config, fitted: Fitted[Any, Any], tmp_path: Path) -> None:
    source = write_words(tmp_path / "other.txt", 2500, words=("zoo", "quay", "jazz"))
    other = dataclasses.replace(config, data=TextDataConfig(source=str(source)))
    splits = PIPELINE.examples(other)
    grown = PIPELINE.grow_preprocessor(other, fitted.preprocessor, splits)
    known = fitted.preprocessor.vocabulary.characters
    assert grown.vocabulary.characters.startswith(known) and grown.grams is not None
    expected = counted(other, grown.vocabulary.encode_all(splits.train), grown.size)
    np.testing.assert_array_equal(grown.grams.keys, expected.keys)


def test_short_texts_and_other_wishes_leave_the_network_alone(
    config: Config, fitted: Fitted[Any, Any], splits: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_words(tmp_path / "short.txt", 600)
    short = PIPELINE.examples(dataclasses.replace(config, data=TextDataConfig(source=str(source))))
    assert PIPELINE.fit_preprocessor(config, short).grams is None
    assert "10,000 are needed to blend it with n-grams; the network stands alone" in capsys.readouterr().err
    plain = dataclasses.replace(config, model=dataclasses.replace(MODEL, blend="none"))
    preprocessor = PIPELINE.fit_preprocessor(plain, splits)
    network = PIPELINE.build_model(plain, preprocessor)
    assert preprocessor.grams is None and GATE not in [layer.name for layer in network.layers]
    assert not capsys.readouterr().err
