"""Every setting and every option changes something, or is refused."""

from __future__ import annotations

import pytest

from rnnapps.tasks.music_generation.pipeline import PIPELINE
from tests.tasks.music_generation.midi_bytes import file_of, note_track, scales, write_scales
from tests.tasks.walk import Change, Changes, walks


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> Changes:
    folder = tmp_path_factory.mktemp("changes")
    other = write_scales(folder / "other", 9)
    drums = folder / "drums"
    drums.mkdir()
    for number in range(8):
        tracks = (note_track([(0, status, 60 + number, 80), (1920, status, 60 + number, 0)]) for status in (0x90, 0x99))
        (drums / f"{number}.mid").write_bytes(file_of(*tracks))
    events = {"data.representation": "events", "model.key_units": 192}
    first, second = ((folder / f"{key}.mid") for key in (60, 64))
    for file, key in ((first, 60), (second, 64)):
        file.write_bytes(scales(key))
    return {
        "data.source": Change(str(other)),
        "data.test": Change(str(other)),
        "data.validation_fraction": Change(0.3),
        "data.test_fraction": Change(0.3),
        "data.percussion": Change(True, {"data.source": str(drums), "data.transpose_semitones": 0}),
        "data.representation": Change("events", {"model.key_units": 192}),
        "data.velocity_levels": Change(4, events),
        "data.longest_shift_steps": Change(2, events),
        "model.echo_steps": Change(0),
        "model.embedding_units": Change(8, events),
        "model.embedding_dropout": Change(0.4, events),
        "model.tie_weights": Change(True, events | {"model.embedding_units": 32}),
        "primer": Change(str(second), {"primer": str(first)}),
        "tempo_bpm": Change(60.0),
        "synthesizer": Change("fluidsynth", {"output": "piece.mid", "synthesizer": "additive"}),
        "soundfont": Change("missing.sf2", {"output": "piece.mid"}),
        "output": Change("piece.mid"),
    }


test_repeats, test_setting, test_option = walks(PIPELINE)
