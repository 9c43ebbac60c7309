"""The clients of the tasks: what they send, and what they make of the answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rnnapps.client import Client
from rnnapps.errors import DataError
from rnnapps.tasks.anomaly_detection.client import DetectorClient
from rnnapps.tasks.forecasting.client import ForecastClient
from rnnapps.tasks.music_generation.client import MusicClient
from rnnapps.tasks.speech_recognition.client import Heard, SpeechClient
from rnnapps.tasks.text_generation.client import TextClient
from rnnapps.tasks.translation.client import TranslationClient
from rnnapps.tasks.video_recognition.client import VideoClient
from tests.serving.scripted import Script, run_script

NOTHING = {"b64": ""}


@pytest.fixture
def scripted() -> Iterator[Script]:
    yield from run_script()


@dataclass
class Asked:
    """A client of a server that knows one signature, and what was sent to it."""

    script: Script

    def client(self, kind: type[Client], signature: str, inputs: dict[str, Any], answer: dict[str, Any]) -> Any:
        """A client whose next request gets that answer.

        Args:
            kind: class of the client.
            signature: name of the signature.
            inputs: name -> (type, shape) or (type, shape, default).
            answer: output name -> (type, value).
        """
        fields = ("dtype", "shape", "default")
        tensors = {name: dict(zip(fields, told, strict=False)) for name, told in inputs.items()}
        outputs = {name: {"dtype": dtype, "shape": _shape(value)} for name, (dtype, value) in answer.items()}
        outputs["problem"] = {"dtype": "string", "shape": [None]}
        told = {"summary": "", "inputs": tensors, "outputs": outputs, "problems": [], "begins": ""}
        self.script.say(200, {"format": 1, "model": "m", "pipeline": "", "signatures": {signature: told}})
        self.script.say(200, {"outputs": {"problem": [""], **{name: value for name, (_, value) in answer.items()}}})
        return kind(self.script.url, "m")

    @property
    def sent(self) -> Any:
        """The inputs of the last request."""
        return json.loads(self.script.requests[-1][3])["inputs"]


def _shape(value: Any) -> list[None]:
    return [None, *_shape(value[0])] if isinstance(value, list) else []


@pytest.fixture
def asked(scripted: Script) -> Asked:
    return Asked(scripted)


TEXTS = {"prompt": ("string", [None], ""), "steps": ("int32", [None], 200), "temperature": ("float32", [None], 0.5)}


def test_text_is_written_with_the_models_defaults(asked: Asked) -> None:
    with asked.client(TextClient, "serving_default", TEXTS, {"text": ("string", ["end"])}) as client:
        assert client.write("The ", temperature=0) == "end"
    assert asked.sent == {"prompt": ["The "], "steps": [200], "temperature": [0.0]}


def test_rules_against_repetition_need_another_signature(asked: Asked) -> None:
    inputs = TEXTS | {"no_repeat": ("int32", [None], 0), "min_p": ("float32", [None], 0.0)}
    with asked.client(TextClient, "write", inputs, {"text": ("string", ["end"])}) as client:
        assert client.write("The ", no_repeat=3) == "end"
    assert asked.sent["no_repeat"] == [3] and asked.sent["prompt"] == ["The "]


def test_words_are_completed(asked: Asked) -> None:
    inputs = {"prompt": ("string", [None], ""), "until": ("string", [None], "word")}
    answer = {"completions": ("string", [["ck", "", ""]]), "probabilities": ("float32", [[0.5, 0.25, 0.0]])}
    with asked.client(TextClient, "complete", inputs, answer) as client:
        assert client.complete("The qui") == [("ck", 0.5), ("", 0.25)]
        assert asked.sent == {"prompt": ["The qui"], "until": ["word"]}


def test_text_is_scored(asked: Asked) -> None:
    inputs = {"prompt": ("string", [None], ""), "text": ("string", [None])}
    with asked.client(TextClient, "score", inputs, {"log_probability": ("float32", [-1.5])}) as client:
        assert client.score("a", prompt="b") == -1.5
    assert asked.sent == {"prompt": ["b"], "text": ["a"]}


def test_sentences_are_translated(asked: Asked) -> None:
    inputs = {"sentence": ("string", [None])}
    with asked.client(TranslationClient, "serving_default", inputs, {"translation": ("string", ["Tag"])}) as client:
        assert client.translate("day") == "Tag"
    inputs = {"sentence": ("string", [None]), "length_penalty": ("float32", [None], 1.0)}
    answer = {"translations": ("string", [["Tag", "Tage", ""]]), "scores": ("float32", [[-1.0, -2.0, -1e9]])}
    with asked.client(TranslationClient, "n_best", inputs, answer) as client:
        assert client.n_best("day", length_penalty=0) == [("Tag", -1), ("Tage", -2)]
    assert asked.sent == {"sentence": ["day"], "length_penalty": [0.0]}


def test_sound_is_transcribed(asked: Asked, tmp_path: Path) -> None:
    answer = {
        "transcript": ("string", ["one two"]),
        "confidence": ("float32", [0.5]),
        "words": ("string", [["one", "two", ""]]),
        "word_starts": ("float32", [[0.0, 0.5, 0.0]]),
        "word_ends": ("float32", [[0.25, 1.0, 0.0]]),
        "word_counts": ("int32", [2]),
    }
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    with asked.client(SpeechClient, "serving_default", {"audio_bytes": ("string", [None])}, answer) as client:
        heard = client.transcribe(tmp_path / "a.wav")
        with pytest.raises(DataError, match="cannot be read"):
            client.transcribe(tmp_path / "b.wav")
    assert heard == Heard("one two", 0.5, (("one", 0.0, 0.25), ("two", 0.5, 1.0)))
    assert asked.sent == {"audio_bytes": [{"b64": "UklGRg=="}]}


@pytest.mark.parametrize(
    ("signature", "given", "sent"),
    [
        ("serving_default", [b"a", b"b"], {"frames": [[{"b64": "YQ=="}, {"b64": "Yg=="}]], "lengths": [2]}),
        ("animation", b"a", {"animations": [{"b64": "YQ=="}]}),
    ],
)
def test_frames_and_animations_are_recognised(asked: Asked, signature: str, given: Any, sent: Any) -> None:
    frames = {"frames": ("string", [None, None]), "lengths": ("int32", [None])}
    inputs = frames if signature == "serving_default" else {"animations": ("string", [None])}
    answer = {"labels": ("string", [["jump", "walk"]]), "probabilities": ("float32", [[0.75, 0.25]])}
    with asked.client(VideoClient, signature, inputs, answer) as client:
        assert client.recognise(given) == {"jump": 0.75, "walk": 0.25}
    assert asked.sent == sent


def test_pieces_are_continued(asked: Asked) -> None:
    inputs = {"midi_bytes": ("string", [None], ""), "steps": ("int32", [None], 64), "seed": ("int64", [None], 0)}
    answer = {"written_midi_bytes": ("string", [{"b64": "TVRoZA=="}])}
    with asked.client(MusicClient, "serving_default", inputs, answer) as client:
        assert client.continue_piece(b"", steps=8) == b"MThd"
    assert asked.sent == {"midi_bytes": [NOTHING], "steps": [8], "seed": [0]}


def test_rows_are_flagged_and_missing_values_stay_missing(asked: Asked) -> None:
    inputs = {"rows": ("float64", [None, None, 2]), "lengths": ("int32", [None]), "seconds": ("int64", [None, None])}
    answer = {"flag": ("bool", [[False, True]]), "contribution": ("float32", [[[1.0, 0.0], [0.5, 0.5]]])}
    with asked.client(DetectorClient, "serving_default", inputs, answer) as client:
        found = client.flag([[1, None], [2, 3]], seconds=[0, 60])
    assert (found["flag"].tolist(), sorted(found)) == ([False, True], ["contribution", "flag"])
    assert str(asked.sent) == "{'rows': [[[1.0, nan], [2.0, 3.0]]], 'lengths': [2], 'seconds': [[0, 60]]}"


@pytest.mark.parametrize("moment", [86_400, datetime(1970, 1, 2), datetime(1970, 1, 2, tzinfo=UTC)])
def test_histories_are_forecast(asked: Asked, moment: Any) -> None:
    inputs = {
        "history": ("float64", [None, None, 1]),
        "lengths": ("int32", [None]),
        "last_time": ("int64", [None]),
        "series": ("string", [None]),
    }
    answer = {"mean": ("float64", [[[4.0]]]), "quantiles": ("float64", [[[[3.0, 5.0]]]])}
    with asked.client(ForecastClient, "serving_default", inputs, answer) as client:
        found = client.forecast([1, 2, 3], last_time=moment, series="a")
    assert (found["mean"].tolist(), found["quantiles"].tolist()) == ([[4.0]], [[[3.0, 5.0]]])
    sent = {"history": [[[1.0], [2.0], [3.0]]], "lengths": [3], "last_time": [86_400], "series": ["a"]}
    assert asked.sent == sent
