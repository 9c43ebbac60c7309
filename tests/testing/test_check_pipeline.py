"""The template's pipeline passes every check; broken ones fail the check that is about what is broken."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from rnnapps.cli.main import main
from rnnapps.errors import ExportError
from rnnapps.testing import PIPELINE_PROPERTIES, PipelineSubject
from tests.tasks.command import skip_report

NAMES = (f"written_{number}" for number in itertools.count())
SETTINGS = {"model.units": 4, "training.batch_size": 4, "training.compile": "graph"}


def write(folder: Path, patch: pytest.MonkeyPatch, *changes: tuple[str, str, str]) -> PipelineSubject:
    """A pipeline from the template, its files changed: (file, what, by what)."""
    name = next(NAMES)
    assert main(["new", "pipeline", name, "--to", str(folder)]) == 0
    for file, old, new in changes:
        path = folder / name / name / file
        text = path.read_text()
        assert old in text, f"{file} has no {old!r}"
        path.write_text(text.replace(old, new))
    patch.syspath_prepend(str(folder / name))
    other = folder / "other.csv"
    other.write_text("text,label\n" + "12:30,time\nred,colour\n" * 10)
    return PipelineSubject(
        importlib.import_module(f"{name}.pipeline").PIPELINE,
        folder,
        SETTINGS,
        "12:30",
        other={"data.source": str(other)},
        streamed=lambda pieces: pieces[-1],
        predicted=lambda guess: guess,
    )


def joined(combined: str) -> tuple[str, str, str]:
    """A change that gives the template ensembles, which it has not; `combined` maps a name and logits to theirs."""
    join = f"""    def join(self, fitted):
        import keras
        from rnnapps.layers.side_by_side import mean_of_probabilities, side_by_side

        return side_by_side([own.network for own in fitted], {{"logits": {combined}}})

"""
    return "pipeline.py", "    def objective(", f"{join}    def objective("


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as context:
        skip_report(context)
        yield context


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, patch: pytest.MonkeyPatch) -> PipelineSubject:
    return write(tmp_path_factory.mktemp("whole"), patch)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name in ("ensemble", "kill", "twice", "workers") else ())
        for name in PIPELINE_PROPERTIES
    ],
)
def test_the_template_passes(whole: PipelineSubject, name: str) -> None:
    PIPELINE_PROPERTIES[name](whole)


@pytest.mark.slow
def test_the_template_with_ensembles_passes(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    PIPELINE_PROPERTIES["ensemble"](write(tmp_path, patch, joined("mean_of_probabilities")))


BROKEN = {
    "config": (
        "config.py",
        "0 < fraction < 1)\n",
        '0 < fraction < 1)\n        object.__setattr__(self, "validation_fraction", fraction / 2)\n',
    ),
    "ranges": (
        "config.py",
        "if self.training.carry_state:",
        "if self.training.carry_state or self.model.dropout > 0.3:",
    ),
    "errors": ("data.py", "path = Path(source)", 'path = Path(source)\n    int("no number")'),
    "batches": ("pipeline.py", "tf.random.stateless_uniform(shape, seed,", "tf.random.uniform(shape,"),
    "shares": (
        "pipeline.py",
        "return tf.reduce_mean(entropy)",
        'weights = tf.cast(batch["targets"], tf.float32) + 1\n'
        "            return tf.reduce_sum(entropy * weights) / tf.reduce_sum(weights)",
    ),
    "preprocessor": ("preprocessor.py", 'tuple(read_json(folder / "labels.json"))', '("amount", "date")'),
    "growth": ("pipeline.py", '"logits/kernel": 1, ', ""),
}
BROKEN_SLOWLY = {
    "interruption": ("pipeline.py", "tf.data.Dataset.range(start, 2**62)", "tf.data.Dataset.range(2**62)"),
    "evaluation": ("pipeline.py", '{"commonest label": {"accuracy": sum(guessed) / len(guessed)}}', "{}"),
    "evaluation without parts": (
        "pipeline.py",
        'comparison=Comparison("accuracy", statistics, ratio, part="texts"),',
        "",
    ),
    "evaluation of other parts": ("pipeline.py", "MODEL: means(right)", "MODEL: means(~right)"),
    "export": ("network.py", ", mask=mask", ""),
    "answers": ("pipeline.py", "float(row.max()))", "float(np.random.random()))"),
    "ensemble": joined("lambda name, logits: keras.layers.Dropout(0.5)(logits[0], training=True)"),
    "stream": ("pipeline.py", 'yield from _guess(fitted, [text.rstrip("\\n")])', 'yield from _guess(fitted, ["?"])'),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_fails(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError):
        PIPELINE_PROPERTIES[name](write(tmp_path, monkeypatch, BROKEN[name]))


def test_a_heavy_import_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = write(tmp_path, monkeypatch, ("pipeline.py", "import sys\n", "import sys\n\nimport pandas\n"))
    with pytest.raises(AssertionError, match="loads"):
        PIPELINE_PROPERTIES["help"](subject)


@pytest.mark.slow
@pytest.mark.parametrize("name", BROKEN_SLOWLY)
def test_what_is_broken_fails_after_training(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = [BROKEN_SLOWLY[name]]
    if name == "answers":
        changes.append(("pipeline.py", "def _guess(", "import numpy as np\n\n\ndef _guess("))
    with pytest.raises((AssertionError, ExportError)):
        PIPELINE_PROPERTIES[name.partition(" ")[0]](write(tmp_path, monkeypatch, *changes))
