"""Every setting and every option changes something, or is refused."""

from __future__ import annotations

import pytest

from rnnapps.tasks.video_recognition.pipeline import PIPELINE
from tests.tasks.video_recognition.video_files import write_moves
from tests.tasks.walk import Change, Changes, walks

ELSEWHERE = ("data.cache_megabytes", "stream restart_seconds", "stream seconds")
"""Shown to work in test_frame_cache.py; and in test_video_recognition.py, with a model that has learned something."""


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> Changes:
    folder = tmp_path_factory.mktemp("changes")
    other = write_moves(folder / "other", 7, first=20)
    first, second = (str(next((other / move).iterdir())) for move in ("left", "right"))
    official = write_moves(folder / "official", 6)
    for fold in (1, 2):
        for part in ("train", "test"):
            names = [f"{path.parent.name}/{path.name}" for path in sorted(official.glob("*/*.mp4"))]
            chosen = [name for name in names if (int(name[-6:-4]) == fold) == (part == "test")]
            (official / f"{part}list0{fold}.txt").write_text("".join(f"{name} 1\n" for name in chosen))
    encoder = {"model.encoder": "mobilenet_v3_small", "data.size": 32}
    return {
        "data.source": Change(str(other)),
        "data.fold": Change(2, {"data.source": str(official)}),
        "data.test": Change(str(other)),
        "data.validation_fraction": Change(0.4),
        "data.test_fraction": Change(0.4),
        "data.groups": Change(r"p\d"),
        "data.longest_seconds": Change(0.5),
        "data.flip": Change(["left=right"]),
        "model.difference_lags": Change([2]),
        "model.encoder": Change("mobilenet_v3_small", {"data.size": 32}),
        "model.encoder_weights": Change("missing.weights.h5", encoder),
        "model.freeze_encoder": Change(True, encoder),
        "model.filters": Change([4]),
        "video": Change(second, {"video": first}),
        "top": Change(1),
        "camera": Change("lavfi:testsrc", {"video": first}),
    }


test_repeats, test_setting, test_option = walks(PIPELINE, ELSEWHERE)
