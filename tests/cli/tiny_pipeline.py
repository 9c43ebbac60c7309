"""A pipeline that really trains: the next letter of an endless "abc...", in a few seconds."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from rnnapps.cli.pipeline_cli import main
from rnnapps.config import ExportConfig, RecurrentConfig, TrainingConfig
from rnnapps.contract.endpoint import Endpoint
from rnnapps.contract.evaluation import MODEL, Comparison, Evaluation
from rnnapps.contract.fitted import Fitted
from rnnapps.contract.objective import Objective
from rnnapps.contract.pipeline import Pipeline
from rnnapps.contract.sections import Paragraph, Section
from rnnapps.metrics.parts import means, ratio
from rnnapps.types import Array


@dataclass(frozen=True)
class DataConfig:
    """The data.

    Attributes:
        source: the letters that follow one another in a circle.
        test: other letters to score.
    """

    source: str = "abc"
    test: str | None = None


@dataclass(frozen=True)
class Config:
    """The next letter.

    Attributes:
        seed: number that decides everything random.
    """

    data: DataConfig = field(default_factory=DataConfig)
    model: RecurrentConfig = field(default_factory=lambda: RecurrentConfig(units=8, dropout=0.1))
    training: TrainingConfig = field(
        default_factory=lambda: TrainingConfig(
            steps=60,
            evaluate_every=20,
            batch_size=4,
            window_steps=8,
            learning_rate=0.05,
            warmup_steps=5,
            tensorboard=False,
        )
    )
    export: ExportConfig = field(default_factory=ExportConfig)
    seed: int = 0


@dataclass(frozen=True)
class Predict:
    """Options of predict.

    Attributes:
        prompt: first letter.
        length: letters to add.
    """

    prompt: str = "a"
    length: int = 5


@dataclass(frozen=True)
class Circle:
    """The data: letters that follow one another in a circle."""

    letters: str
    source: str

    def digest(self) -> str:
        return self.letters


@dataclass(frozen=True)
class Letters:
    """The preprocessor: letters in the order of their ids."""

    letters: str

    def save(self, folder: Path) -> None:
        (folder / "letters.json").write_text(json.dumps(self.letters))


class Tiny(Pipeline[Config, Circle, Letters]):
    name: ClassVar[str] = "tiny"
    summary: ClassVar[str] = "Says which letter comes next"
    config_class = Config
    predict_class = Predict

    def examples(self, config: Config, given: Sequence[str] | None = None) -> Circle:
        return Circle(config.data.source if given is None else "".join(given), config.data.source)

    def fit_preprocessor(self, config: Config, splits: Circle) -> Letters:
        return Letters("".join(sorted(set(splits.letters))))

    def load_preprocessor(self, folder: Path) -> Letters:
        return Letters(json.loads((folder / "letters.json").read_text()))

    def grow_preprocessor(self, config: Config, preprocessor: Letters, splits: Circle) -> Letters:
        return Letters(preprocessor.letters + "".join(sorted(set(splits.letters) - set(preprocessor.letters))))

    def vocabulary_changes(self, network: Any, old: Letters, new: Letters) -> Any:
        from rnnapps.contract.vocabulary import VocabularyChange

        axes = {"embedding/embeddings": 0, "logits/kernel": 1, "logits/bias": 0}
        return [VocabularyChange(list(old.letters), list(new.letters), axes)]

    def build_model(self, config: Config, preprocessor: Letters) -> Any:
        import keras

        from rnnapps.layers.stack import recurrent_stack

        size, units = len(preprocessor.letters), config.model.units
        stack = recurrent_stack(config.model, name="recurrent")
        tokens = keras.Input((None,), dtype="int32", name="tokens")
        states = [keras.Input((width,), name=f"state_{i}") for i, width in enumerate(stack.state_sizes)]
        embedded = keras.layers.Embedding(size, units, name="embedding")(tokens)
        outputs, last = stack(embedded, states=states)
        logits = keras.layers.Dense(size, dtype="float32", name="logits")(outputs)
        return keras.Model({"tokens": tokens, "states": states}, {"logits": logits, "states": last})

    def objective(self, fitted: Fitted[Config, Letters], splits: Circle) -> Objective:
        import tensorflow as tf

        rows, steps = fitted.config.training.batch_size, fitted.config.training.window_steps
        circle = tf.constant([fitted.preprocessor.letters.index(letter) for letter in splits.letters])

        def batch(step: Any) -> dict[str, Any]:
            places = step * steps + tf.range(steps + 1, dtype=tf.int64) + tf.range(rows, dtype=tf.int64)[:, None]
            tokens = tf.gather(circle, places % len(splits.letters))
            return {"inputs": {"tokens": tokens[:, :-1]}, "targets": tokens[:, 1:], "reset": step == 0}

        def loss(outputs: Any, given: Any) -> Any:
            entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(given["targets"], outputs["logits"])
            return tf.reduce_mean(entropy)

        return Objective(
            loss=loss,
            batches=lambda first: tf.data.Dataset.range(first, 2**62).map(batch),
            validate=lambda: {
                "validation_nats_per_letter": float(
                    self._score(fitted.network, fitted.preprocessor, splits.letters).mean()
                )
            },
            metric="validation_nats_per_letter",
            samples=lambda: ["".join(self._write(fitted.network, fitted.preprocessor, Predict()))],
            loss_unit="nats_per_letter",
            time_step="letter",
        )

    def report_sections(self, fitted: Fitted[Config, Letters], splits: Circle, samples: Sequence[str]) -> list[Section]:
        return [
            Section("Letters", [Paragraph(f"{fitted.preprocessor.letters} from {splits.source}; last: {samples[-1]}")])
        ]

    def evaluate(self, fitted: Fitted[Config, Letters], splits: Circle) -> Evaluation:
        test = fitted.config.data.test
        letters, split = (test, "test") if test else (splits.letters, "validation")
        nats = self._score(fitted.network, fitted.preprocessor, letters)
        uniform = float(np.log(len(fitted.preprocessor.letters)))
        statistics = {MODEL: means(nats), "uniform": means(np.full(len(nats), uniform))}
        return Evaluation(
            {"nats_per_letter": float(nats.mean())},
            {"uniform": {"nats_per_letter": uniform}},
            len(nats),
            split,
            {"letters": float(len(set(letters)))},
            Comparison("nats_per_letter", statistics, ratio, part="letters"),
        )

    def endpoints(self, fitted: Fitted[Config, Letters]) -> dict[str, Endpoint]:
        import tensorflow as tf

        from rnnapps.export.row_rules import between

        def function(tokens: Any) -> dict[str, Any]:
            states = [tf.zeros((tf.shape(tokens)[0], state.shape[-1])) for state in fitted.network.input["states"]]
            return {"logits": fitted.network({"tokens": tokens, "states": states}, training=False)["logits"]}

        tokens = np.arange(20, dtype=np.int32).reshape(5, 4) % len(fitted.preprocessor.letters)
        signature = {"tokens": tf.TensorSpec((None, 4), tf.int32)}
        rules = (between("tokens", 0, len(fitted.preprocessor.letters) - 1),)
        return {"serving_default": Endpoint(function, signature, {"tokens": tokens}, rules=rules)}

    def predict(
        self, fitted: Fitted[Config, Letters], options: Predict, given: str | Sequence[str] | None = None
    ) -> list[str]:
        prompts = [options.prompt] if given is None else [given] if isinstance(given, str) else given
        asked = [replace(options, prompt=prompt) for prompt in prompts]
        return ["".join(self._write(fitted.network, fitted.preprocessor, each)) for each in asked]

    def stream(self, fitted: Fitted[Config, Letters], options: Predict, given: str | None = None) -> Iterator[str]:
        asked = options if given is None else replace(options, prompt=given)
        yield from self._write(fitted.network, fitted.preprocessor, asked)

    def _write(self, network: Any, preprocessor: Letters, options: Predict) -> Iterator[str]:
        import tensorflow as tf

        states = [tf.zeros((1, state.shape[-1])) for state in network.input["states"]]
        token = preprocessor.letters.index(options.prompt[-1])
        for _ in range(options.length):
            outputs = network({"tokens": tf.constant([[token]]), "states": states}, training=False)
            token, states = int(np.argmax(outputs["logits"][0, -1])), outputs["states"]
            yield preprocessor.letters[token]

    def _score(self, network: Any, preprocessor: Letters, letters: str) -> Array:
        """Nats of twenty letters."""
        import tensorflow as tf

        tokens = np.array([[preprocessor.letters.index(letter) for letter in (letters * 21)[:21]]])
        states = [np.zeros((1, state.shape[-1]), np.float32) for state in network.input["states"]]
        outputs = network({"tokens": tokens[:, :-1], "states": states}, training=False)
        entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(tokens[:, 1:], outputs["logits"])
        return np.asarray(entropy, np.float64)[0]


TINY = Tiny()

if __name__ == "__main__":
    sys.exit(main(TINY))
