from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.contract.fitted import Fitted
from rnnapps.errors import DataError
from rnnapps.layers.token_network import token_network
from rnnapps.tasks.music_generation.client import answer_midi, request_arrays
from rnnapps.tasks.music_generation.data.midi import parse_midi, write_midi
from rnnapps.tasks.music_generation.data.piece import LOWEST_KEY, Piece
from rnnapps.tasks.music_generation.echo import KINDS
from rnnapps.tasks.music_generation.endpoints import music_endpoints
from rnnapps.tasks.music_generation.export_config import MusicExportConfig
from rnnapps.tasks.music_generation.frame_network import echo_of, frame_network
from rnnapps.tasks.music_generation.generation import Sampling, stream_changes, write_pieces
from rnnapps.tasks.music_generation.model_config import MusicModelConfig
from rnnapps.tasks.music_generation.pipeline import PIPELINE, Config, PredictOptions
from rnnapps.tasks.music_generation.preprocessing.music_grid import MusicGrid

CONFIG = MusicModelConfig(units=8, embedding_units=4, dropout=0.0)
EMPTY = Piece(np.zeros((0, 4), np.int32))
PRIMER = Piece(np.array([[0, 4, 48, 80], [0, 2, 60, 80], [2, 4, 64, 80]], np.int32))
PRIMER_MIDI = write_midi(replace(PRIMER, tempo_bpm=60.0, beats_per_bar=3.0), steps_per_beat=2)
GRIDS = {name: MusicGrid(name, 2) for name in ("frames", "events")}


@pytest.fixture(scope="module", params=["frames", "independent frames", "events"])
def model(request: pytest.FixtureRequest) -> tuple[keras.Model, MusicGrid]:
    keras.utils.set_random_seed(0)
    if request.param == "events":
        return token_network(CONFIG, GRIDS["events"].tokens), GRIDS["events"]
    sizes = {"echo_steps": 16} if "independent" in request.param else {"hidden_units": 5}
    network = frame_network(CONFIG, 88, **sizes)
    network.get_layer("keys").bias.assign(tf.fill([88], -2.5))  # else half of all keys sound
    if echo := echo_of(network):
        echo.kernel.assign(tf.tile([[3.0, -0.5]], [KINDS, 1]))
    return network, GRIDS["frames"]


@pytest.mark.parametrize("primer", [EMPTY, PRIMER], ids=["empty", "primer"])
def test_pieces_begin_with_the_primer_and_last_as_long_as_asked(primer: Piece, model: Any) -> None:
    one, other = write_pieces(*model, primer, Sampling(steps=11, samples=2, seed=3))
    again = write_pieces(*model, primer, Sampling(steps=11, seed=4))[0]
    np.testing.assert_array_equal(again.notes, other.notes)  # a row does not depend on the one beside it
    assert one.notes.tolist() != other.notes.tolist()
    grid = GRIDS["frames"]
    for piece in (one, other):
        assert primer.steps < piece.steps <= primer.steps + 11
        np.testing.assert_array_equal(grid.frames(piece)[: primer.steps], grid.frames(primer))


def test_a_stream_plays_what_predict_writes(model: Any) -> None:
    network, grid = model
    sampling = Sampling(steps=9, seed=3)
    written = GRIDS["frames"].frames(write_pieces(network, grid, PRIMER, sampling)[0])[PRIMER.steps :]
    # Events release the primer's keys within the primer; frames may hold them, or release them at the first step.
    last = GRIDS["frames"].frames(PRIMER)[-1]
    held = {LOWEST_KEY + int(key) for key in np.flatnonzero(last)} if grid.representation == "frames" else set()
    played = np.zeros((9, 88), np.uint8)
    changes = list(stream_changes(network, grid, PRIMER, sampling))
    for step in range(9):
        for change in changes:
            if change.beat * 2 == step:
                held = (held - set(change.note_off)) | set(change.note_on)
        played[step, [key - LOWEST_KEY for key in held]] = 1
    np.testing.assert_array_equal(played[: len(written)], written)
    assert not played[len(written) :].any()


def test_the_client_gets_from_a_server_what_predict_writes(model: Any) -> None:
    network, grid = model
    endpoint = music_endpoints(network, grid, MusicExportConfig())["continuation"]
    request = request_arrays(grid, PRIMER_MIDI, steps=7, seed=3)
    assert request.keys() == endpoint.input_signature.keys()
    answer = endpoint.function(**{name: tf.constant(array) for name, array in request.items()})
    piece = parse_midi(answer_midi(grid, PRIMER_MIDI, answer), "answer", steps_per_beat=2)
    assert piece.tempo_bpm == pytest.approx(60.0) and (piece.beats_per_bar, piece.beat_unit) == (3.0, 4)
    if grid.representation == "frames":
        expected = write_pieces(network, grid, PRIMER, Sampling(steps=7, seed=3))[0]
        np.testing.assert_array_equal(piece.notes, expected.notes)
    assert len(piece.notes) >= len(PRIMER.notes)
    begun = request_arrays(grid, b"", steps=7)
    assert begun["lengths"].tolist() == [0]
    with pytest.raises(DataError, match="request: was not answered: steps must be from 1 to 1,000"):
        answer_midi(grid, PRIMER_MIDI, {**answer, "problem": np.array([b"steps must be from 1 to 1,000"])})


def test_files_come_back_with_their_continuation(model: Any) -> None:
    network, grid = model
    endpoint, arrays = (
        music_endpoints(network, grid, MusicExportConfig())[name] for name in ("serving_default", "continuation")
    )
    later = {"tempo_changes": ((1, 120.0),), "bar_changes": ((2, 4.0, 4),)}
    primer = write_midi(replace(PRIMER, tempo_bpm=90.0, beats_per_bar=3.0, **later), steps_per_beat=2)
    files = [primer, b"", primer[:-9], primer]
    wishes = {"temperature": tf.ones(4), "top_p": tf.ones(4), "seed": tf.constant([3, 4, 5, 6], tf.int64)}
    wishes["steps"] = tf.constant([7, 9, 7, 1])
    answer = {name: each.numpy() for name, each in endpoint.function(midi_bytes=tf.constant(files), **wishes).items()}
    assert answer["problem"].tolist() == [b"", b"", b"is cut off or damaged", b""]
    assert answer["written_midi_bytes"][2] == b"" and answer["written_lengths"].tolist() == [7, 9, 0, 1]
    for row, name in ((0, "frames"), (3, "tokens")):
        request = request_arrays(grid, primer, steps=7 if row == 0 else 1, seed=3 + row)
        alone = arrays.function(**{name: tf.constant(array) for name, array in request.items()})
        expected = parse_midi(answer_midi(grid, primer, alone), name, steps_per_beat=2)
        found = parse_midi(answer["written_midi_bytes"][row], name, steps_per_beat=2)
        np.testing.assert_array_equal(found.notes, expected.notes)
        assert found.tempo_bpm == pytest.approx(90.0, abs=1e-3) and found.beats_per_bar == 3.0
        assert found.tempo_changes == ((1, 120.0),) and found.bar_changes == ((2, 4.0, 4),)


def test_steps_go_on_as_the_whole_does() -> None:
    network = frame_network(CONFIG, 88, hidden_units=5)
    endpoints = music_endpoints(network, GRIDS["frames"], MusicExportConfig())
    sampling = {"temperature": tf.ones(1), "top_p": tf.ones(1), "seed": tf.constant([9], tf.int64)}
    nothing = tf.zeros((1, 0, 88), tf.int32)
    whole = endpoints["continuation"].function(
        frames=nothing, lengths=tf.constant([0]), steps=tf.constant([4]), **sampling
    )["written_frames"]
    frame, states = tf.zeros((1, 1, 88), tf.int32), {"state_0": tf.zeros((1, 8))}
    for position in range(4):
        found = endpoints["step"].function(
            frames=frame, lengths=tf.constant([1]), position=tf.constant([position]), **sampling, **states
        )
        frame, states = found["next_frame"][:, None], {"state_0": found["next_state_0"]}
        np.testing.assert_array_equal(frame[:, 0], whole[:, position])


def test_a_silent_piece_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    network = frame_network(CONFIG, 88)
    network.get_layer("keys").kernel.assign(tf.zeros((8, 88)))
    network.get_layer("keys").bias.assign(tf.fill([88], -30.0))
    fitted = Fitted(Config(), GRIDS["frames"], network)
    given = PRIMER.notes.astype(np.int64)
    silent = PIPELINE.predict(fitted, PredictOptions(output="", bars=1), given)[0]
    assert silent.is_silent and silent.printed()["remark"].startswith("nothing sounds in what was added")
    assert "1 of 1 pieces: nothing sounds" in capsys.readouterr().err
    assert not any(change.note_on for change in PIPELINE.stream(fitted, PredictOptions(bars=1), given))
    assert "stream: nothing sounds" in capsys.readouterr().err
    network.get_layer("keys").bias.assign(tf.fill([88], -2.0))
    sounding = PIPELINE.predict(fitted, PredictOptions(output="", bars=1), given)[0]
    assert not sounding.is_silent and "remark" not in sounding.printed() and not capsys.readouterr().err


def test_bars_and_tempo_are_those_at_the_end_of_the_primer() -> None:
    """A pickup of a quarter, then 3/4 at 60 quarters a minute: two bars more are six quarters."""
    network = frame_network(CONFIG, 88)
    primer = replace(PRIMER, tempo_bpm=60.0, beats_per_bar=1.0, bar_changes=((2, 3.0, 4),))
    fitted = Fitted(Config(), GRIDS["frames"], network)
    content = write_midi(primer, steps_per_beat=2)
    written = PIPELINE.predict(fitted, PredictOptions(output="", bars=2), content)[0]
    found = parse_midi(written.midi, "x", steps_per_beat=2)
    assert found.steps == 4 + 2 * 3 * 2
    assert (found.tempo_bpm, found.beats_per_bar, found.bar_changes) == (60.0, 1.0, ((2, 3.0, 4),))
    faster = PIPELINE.predict(fitted, PredictOptions(output="", bars=1, tempo_bpm=90.0), content)[0]
    assert parse_midi(faster.midi, "x", steps_per_beat=2).tempo_bpm == pytest.approx(90, abs=1e-3)
