"""Every command that the documentation shows works as it is written.

What takes seconds is run, in a folder that has what the text says it has; of training commands, every setting is
checked by `--print_config`, and a small trained run takes the place of their result; of `make`, the targets exist. All
is typed in one folder, and what one document had run is not run again for another.
"""

from __future__ import annotations

import functools
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from rnnapps.cells import CELLS
from rnnapps.cli.arguments import parse_arguments
from rnnapps.cli.main import build_parser
from rnnapps.cli.main import main as rnnapps_main
from rnnapps.cli.pipeline_cli import main
from rnnapps.cli.serving import parse_serve
from rnnapps.cli.verb_table import VERBS
from rnnapps.tasks.text_generation.pipeline import PIPELINE
from rnnapps.tasks.video_recognition.data.file import write_mp4
from rnnapps.verbs.launch import worker_command
from rnnapps.verbs.pipelines import find_pipeline
from tests.docs.commands import commands_of
from tests.tasks.anomaly_detection import watched
from tests.tasks.forecasting import forecasts
from tests.tasks.music_generation import pieces
from tests.tasks.music_generation.midi_bytes import write_scales
from tests.tasks.speech_recognition import spoken
from tests.tasks.speech_recognition.recordings import audio_bytes, say, write_manifest
from tests.tasks.translation import sentences
from tests.tasks.video_recognition import videos
from tests.tasks.video_recognition.video_files import moving_square, write_moves

ROOT = Path(__file__).parents[2]
# The pages show commands with more of their flags than the README, which therefore comes last.
DOCUMENTS = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "CONTRIBUTING.md", ROOT / "README.md"]
CONFIGURATIONS = sorted((ROOT / "rnnapps" / "tasks").glob("*/configs/*.yaml"))
LONG = [ROOT / "docs" / f"{name}.md" for name in ("anomaly_detection", "forecasting", "music_generation")]
LONG += [ROOT / "docs" / f"{name}.md" for name in ("speech_recognition", "translation", "video_recognition")]
LONG += [ROOT / "README.md"]
"""Pages whose commands take half a minute each page, README's since it applies a model of every task: by default they
are parsed alone. What README shows of text generation is run for the other pages."""
TRAINING = ("train", "finetune")
BRIEFLY = ("--training.steps=1", "--training.evaluate_every=1", "--skip_evaluation")


def train_text(folder: Path) -> None:
    """A run of text generation in `folder/run`."""
    (folder / "text.txt").write_text("A few words, high, low and mid, again and again. " * 40)
    flags = ["--model.units=8", "--training.batch_size=2", "--training.window_steps=8"]
    source = ["--data.source", str(folder / "text.txt"), "--training.compile=graph"]
    assert main(PIPELINE, ["train", "--run", str(folder / "run"), *BRIEFLY, *source, *flags]) == 0


def train_detector(folder: Path) -> None:
    """A run of anomaly detection in `folder/run`."""
    from rnnapps.tasks.anomaly_detection.pipeline import PIPELINE as DETECTOR

    source = ["--data.source", str(watched.write_rows(folder / "machine.csv"))]
    assert main(DETECTOR, ["train", "--run", str(folder / "run"), *source, *watched.SETTINGS, *BRIEFLY]) == 0


def train_forecaster(folder: Path) -> None:
    """A run of forecasting in `folder/run`, of the built-in series."""
    from rnnapps.tasks.forecasting.pipeline import PIPELINE as FORECASTER

    flags = [*BRIEFLY, "--model.series_units=2"]
    assert main(FORECASTER, ["train", "--run", str(folder / "run"), *forecasts.SETTINGS, *flags]) == 0


def train_musician(folder: Path) -> None:
    """A run of music generation in `folder/run`."""
    from rnnapps.tasks.music_generation.pipeline import PIPELINE as MUSICIAN

    source = ["--data.source", str(write_scales(folder / "scales", 4))]
    assert main(MUSICIAN, ["train", "--run", str(folder / "run"), *source, *pieces.SETTINGS, *BRIEFLY]) == 0


def train_watcher(folder: Path) -> None:
    """A run of video recognition in `folder/run`."""
    from rnnapps.tasks.video_recognition.pipeline import PIPELINE as WATCHER

    source = ["--data.source", str(write_moves(folder / "moves", 4))]
    assert main(WATCHER, ["train", "--run", str(folder / "run"), *source, *videos.SETTINGS, *BRIEFLY]) == 0


def train_translator(folder: Path) -> None:
    """A run of translation in `folder/run`."""
    from rnnapps.tasks.translation.pipeline import PIPELINE as TRANSLATOR

    source = ["--data.source", str(sentences.write_pairs(folder / "pairs.tsv", 80))]
    assert main(TRANSLATOR, ["train", "--run", str(folder / "run"), *source, *sentences.SETTINGS, *BRIEFLY]) == 0


def train_recogniser(folder: Path) -> None:
    """A run of speech recognition in `folder/run`, which streams."""
    from rnnapps.tasks.speech_recognition.pipeline import PIPELINE as RECOGNISER

    source = ["--data.source", str(write_manifest(folder / "recordings", 20))]
    flags = [*BRIEFLY, "--model.bidirectional=false"]
    assert main(RECOGNISER, ["train", "--run", str(folder / "run"), *source, *spoken.SETTINGS, *flags]) == 0


TRAIN = {
    "text_generation": train_text,
    "anomaly_detection": train_detector,
    "forecasting": train_forecaster,
    "music_generation": train_musician,
    "speech_recognition": train_recogniser,
    "translation": train_translator,
    "video_recognition": train_watcher,
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """What a training command of a pipeline would have left, by the pipeline's name."""

    @functools.cache
    def run_of(name: str) -> Path:
        folder = tmp_path_factory.mktemp(name)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("rnnapps.verbs.reporting.refresh_report", lambda *_, **__: folder / "report.html")
            TRAIN[name](folder)
        return folder / "run"

    return run_of


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A folder to type commands in: a clone without results of earlier commands; reports, which take seconds, aside."""
    folder = tmp_path_factory.mktemp("clone")
    (folder / "rnnapps").symlink_to(ROOT / "rnnapps")
    watched.write_rows(folder / "new.csv", labels=False)
    forecasts.write_wave(folder / "recent.csv", forecasts.wave(30)[:, :1], names="value")
    write_mp4(folder / "new.mp4", moving_square("left"), rate=10)
    (folder / "book.txt").write_text("It was a dark and stormy night, and it rained. " * 40)
    (folder / "rows.jsonl").write_text('{"text": "A few words."}\n{"text": "high"}\n')
    (folder / "clip.wav").write_bytes(audio_bytes(say("lo hi")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rnnapps.verbs.reporting.refresh_report", lambda *_, **__: folder / "report.html")
        patch.setattr("rnnapps.tasks.video_recognition.baselines.STILL_STEPS", 2)
        # The pages show `rnnapps verify` after `export`: once is enough.
        patch.setattr("rnnapps.export.saved_model.verify", lambda *_, **__: SimpleNamespace(require=lambda: None))
        patch.chdir(folder)
        yield


@pytest.fixture(scope="module")
def typed() -> list[set[str]]:
    """The commands that were run already, each as `essence` has it."""
    return []


def essence(words: list[str]) -> set[str]:
    """The words of a command, each flag with its value; which run it reads, and which text, is all the same."""
    parts: list[str] = []
    for word in words:
        if parts and re.fullmatch(r"--[^=]+", parts[-1]) and not word.startswith("--"):
            parts[-1] += f"={word}"
        else:
            parts.append(word)
    return {re.sub(r"^(--(run|from)=runs/\w+|--prompt|--sentence).*", r"\1", part) for part in parts}


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def run(words: list[str]) -> int:
    """Runs one command of the documentation, but for training; returns its exit code."""
    program, *argv = words
    if program == "make":
        wanted = {word for word in argv if "=" not in word and not word.startswith("-")}
        return int(not wanted <= targets())
    if program == "python":
        module, *argv = argv[1:]
        argv = [module.removeprefix("pipelines."), *argv]
    if argv[0] == "serve":
        parse_serve(argv[1:])  # raises ConfigError, or SystemExit; it would serve for ever
        return 0
    if argv[1:2] == ["tune"]:  # raises ConfigError; it would train for minutes, as `fit` would
        parse_arguments(find_pipeline(argv[0]), "tune", argv[2:])
        return 0
    if argv[0] == "launch":  # raises ConfigError, as what the workers run does; it would train
        words = build_parser().parse_args(argv).words[1:]
        return int(worker_command(words)[3:5] != words[:2]) or run([program, *words])
    if argv[0] == "certify":  # it would train for minutes
        known = [name for name in build_parser().parse_args(argv).cells if ":" not in name]
        return int(not set(known) <= set(CELLS))
    if argv[0] in ("ensemble", "fit"):  # of runs that only a person has; it would train for minutes
        return int(build_parser().parse_args(argv).command != argv[0])
    if argv[0] == "score" and not Path(argv[1]).exists():  # of a model that only the page of its task makes
        return int(argv[0] not in vars(build_parser().parse_args(argv)).values())
    if argv[1:] and argv[0] in TRAIN and argv[1] in TRAINING and not {"--print_config", "--help"} & set(argv):
        argv.append("--print_config")
    return rnnapps_main(argv)


def understood(words: list[str]) -> bool:
    """Whether a pipeline's command has a verb and flags that exist, of the right types; others are left to `run`."""
    program, *argv = words
    if program != "rnnapps" or argv[0] not in TRAIN or argv[1] not in VERBS or "--help" in argv:
        return run(words) == 0
    parse_arguments(find_pipeline(argv[0]), argv[1], argv[2:])  # raises ConfigError
    return True


@pytest.mark.parametrize("document", LONG, ids=lambda path: path.name)
@pytest.mark.usefixtures("place")
def test_every_command_of_the_page_of_a_task_is_understood(document: Path) -> None:
    commands = [words for words in commands_of(document) if words[1:2] != ["verify"]]
    assert len(commands) > 5
    for words in commands:
        assert understood(words), " ".join(words)


@pytest.mark.parametrize(
    "document",
    [pytest.param(path, marks=pytest.mark.slow if path in LONG else ()) for path in DOCUMENTS],
    ids=lambda path: str(path.relative_to(ROOT)),
)
@pytest.mark.usefixtures("place")
def test_every_command_of_the_documentation_works(
    document: Path, trained: Callable[[str], Path], typed: list[set[str]]
) -> None:
    for words in commands_of(document):
        if any(essence(words) <= earlier for earlier in typed):
            continue
        for flag in ("--run", "--from"):
            folder = Path(words[words.index(flag) + 1]) if flag in words else None
            if folder and folder.parts[0] == "runs" and not folder.exists():
                shutil.copytree(trained(folder.parts[1]), folder)
        assert run(words) == 0, " ".join(words)
        typed.append(essence(words))


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=lambda path: f"{path.parts[-3]}/{path.name}")
@pytest.mark.usefixtures("place")
def test_every_configuration_opens_with_the_command_that_uses_it(
    configuration: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = commands_of(configuration)
    own = configuration.stem
    assert any(own in words for words in commands), f"{configuration}: its header shows no command with --config {own}"
    for _, *argv in commands:
        assert rnnapps_main([*argv, "--print_config"]) == 0
        assert capsys.readouterr().out.startswith("pipeline: ")


@pytest.mark.parametrize("verb", TRAINING)
@pytest.mark.usefixtures("place")
def test_the_examples_of_the_help_parse(verb: str) -> None:
    for line in VERBS[verb].examples(PIPELINE):
        words = line.partition(">")[0].split()[2:]
        assert main(PIPELINE, [*words, "--print_config"]) == 0, line


def test_commands_are_found_as_a_shell_would_read_them(tmp_path: Path) -> None:
    document = tmp_path / "document.md"
    document.write_text(
        "```console\n$ make setup && make test   # both\n$ .venv/bin/python -m pipelines.text_generation predict "
        '\\\n    --prompt "It was"\nIt was here\n```\n\n`make no`\n\n```python\nmake = 1\n```\n\n'
        "```sh\nX=1 rnnapps list > cells.txt\ncd elsewhere\n```\n"
    )
    assert commands_of(document) == [
        ["make", "setup"],
        ["make", "test"],
        ["python", "-m", "pipelines.text_generation", "predict", "--prompt", "It was"],
        ["rnnapps", "list"],
    ]


def test_of_two_commands_one_may_do_all_that_the_other_does() -> None:
    start = "rnnapps text_generation predict --run runs/text_generation/"
    more = essence([*f"{start}docs --length 200 --seed 1 --prompt".split(), "The end"])
    assert essence([*f"{start}book --prompt".split(), "It was"]) < more
    assert essence(f"{start}book --seed=1".split()) < more
    assert not essence(f"{start}book --seed 2".split()) <= more
    assert not essence(f"{start}book --json".split()) <= more
    assert not essence(["rnnapps", "text_generation", "stream"]) <= more
    assert not essence(["rnnapps", "text_generation", "predict", "--run", "saved_models/text_generation/1"]) <= more
