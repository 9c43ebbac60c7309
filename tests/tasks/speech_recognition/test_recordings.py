from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.speech_recognition.augmentation import augment_spectra, augment_waveforms
from rnnapps.tasks.speech_recognition.data.config import SpeechDataConfig
from rnnapps.tasks.speech_recognition.data.utterance import Utterance
from rnnapps.tasks.speech_recognition.model_config import DecodingConfig, SpeechModelConfig, SpeechTrainingConfig
from rnnapps.tasks.speech_recognition.objective import ctc_nats
from rnnapps.tasks.speech_recognition.preprocessing.speech_features import SpeechFeatures
from rnnapps.tasks.speech_recognition.recordings import TrainingRecordings, held_out_strings
from tests.tasks.speech_recognition.small import DATA, make_features, make_model, utterances

PLAIN = {"noise_share": 0.0, "gain_db": 0.0, "frequency_masks": 0, "time_masks": 0}
JOINED = SpeechDataConfig(sample_rate_hz=8000, join_minimum=1, join_maximum=3, join_passes=2)


def recordings(data: SpeechDataConfig = DATA, *, seed: int = 0, **training: object) -> TrainingRecordings:
    config = SpeechTrainingConfig(batch_size=4, buckets=2, **training)
    return TrainingRecordings(utterances(speaker="a"), make_features(), data, config, seed=seed)


def test_batches_are_a_function_of_seed_and_step() -> None:
    def steps(stream: tf.data.Dataset, count: int) -> list[dict]:
        return list(stream.take(count).as_numpy_iterator())

    first, later = steps(recordings(JOINED).batches(0), 4), steps(recordings(JOINED).batches(2), 2)
    other = steps(recordings(JOINED, seed=1).batches(0), 1)
    for one, two in zip(first[2:], later, strict=True):
        tf.nest.map_structure(np.testing.assert_array_equal, one, two)
    assert first[0]["inputs"]["features"].shape != other[0]["inputs"]["features"].shape or not np.array_equal(
        first[0]["inputs"]["features"], other[0]["inputs"]["features"]
    )


def test_without_changes_a_batch_is_the_recordings() -> None:
    made = recordings(speeds=(1.0,), **PLAIN)
    batch = next(made.batches(0).as_numpy_iterator())
    known = {each.transcript: each for each in utterances()}
    for spectra, frames, symbols in zip(*batch["inputs"].values(), batch["targets"], strict=True):
        ids = symbols[symbols > 0]
        text = made.features.alphabet.decode(tf.constant([ids]), tf.constant([len(ids)])).numpy()[0].decode()
        samples = known[text].waveform()[None]
        expected, count = made.features(tf.constant(samples), tf.constant([samples.shape[1]]))
        assert int(count[0]) == frames
        np.testing.assert_allclose(spectra[:frames], expected[0, :frames], atol=1e-4)


def test_faster_is_shorter_and_strings_are_joined() -> None:
    made = recordings(JOINED, speeds=(1.0, 2.0), **PLAIN)
    half = len(made) // 2
    lengths = np.array(made._lengths())
    assert lengths[half:].sum() < 0.7 * lengths[:half].sum()
    assert all(len(made._samples(row)) == lengths[row] for row in range(len(made)))
    texts = held_out_strings(utterances(speaker="a"), JOINED)
    assert len({each.name for each in texts}) > 6 and max(len(each.transcript) for each in texts) > 14


def test_a_recording_too_short_for_its_transcript_is_named() -> None:
    short = Utterance(np.zeros(400, np.int16), "lo mid hi lo mid hi lo", "", "short.wav")
    features = make_features()
    with pytest.raises(DataError, match=r"short\.wav: lasts 0\.05 s, .* has 12 outputs; .* 22 symbols needs 22"):
        TrainingRecordings([short], features, DATA, SpeechTrainingConfig(batch_size=1, speeds=(1.0,)), seed=0)


@pytest.mark.parametrize("normalization", ["stored", "utterance"])
@pytest.mark.parametrize("count", [1, 6])
def test_one_recording_or_several_of_the_same_length_even_silent_ones_train(count: int, normalization: str) -> None:
    silent = [Utterance(np.zeros(4000, np.int16), text, "a", text) for text in ("lo", "mid", "hi")]
    model = make_model(normalization=normalization)
    features = SpeechFeatures.fit(silent, DATA, model)
    config = SpeechTrainingConfig(batch_size=4, buckets=3, speeds=(1.0,), noise_share=0.0)
    made = TrainingRecordings((silent * 2)[:count], features, DATA, config, seed=0)
    batch = next(made.batches(0).as_numpy_iterator())
    logits = tf.tile(batch["inputs"]["features"][:, ::2, :1], [1, 1, features.alphabet.size])
    nats = ctc_nats(logits, tf.fill([4], logits.shape[1]), batch["targets"])
    assert batch["inputs"]["features"].shape[0] == 4 and set(batch["inputs"]["lengths"]) == {77}
    assert np.isfinite(batch["inputs"]["features"]).all() and np.isfinite(nats).all()


def test_no_recordings_are_an_error() -> None:
    with pytest.raises(DataError, match="the training split: holds no recordings"):
        TrainingRecordings([], make_features(), DATA, SpeechTrainingConfig(batch_size=1), seed=0)


def test_noise_has_the_loudness_asked_for_and_silence_is_padded() -> None:
    tone = np.sin(np.arange(20_000) * 0.3).astype(np.float32)[None].repeat(8, axis=0) * 0.1
    config = SpeechTrainingConfig(noise_share=1.0, noise_lowest_db=20, noise_highest_db=20, gain_db=0)
    lengths = tf.constant([20_000] * 7 + [50])
    found = augment_waveforms(tf.constant(tone), lengths, config, tf.constant([0, 1], tf.int64)).numpy()
    noise = found[:7] - tone[:7]
    ratios = 20 * np.log10(tone[:7].std(axis=1) / noise.std(axis=1))
    assert (np.abs(ratios - 20) < 3).all() and not found[7, 50:].any()
    louder = augment_waveforms(
        tf.constant(tone), lengths, SpeechTrainingConfig(noise_share=0, gain_db=6), tf.constant([0, 1], tf.int64)
    ).numpy()
    gains = 20 * np.log10(louder[:7].std(axis=1) / tone[:7].std(axis=1))
    assert (np.abs(gains) <= 6.01).all() and gains.std() > 1


def test_masks_hide_bands_and_stretches_within_their_limits() -> None:
    spectra = tf.ones((6, 50, 20))
    config = SpeechTrainingConfig(frequency_masks=1, frequency_mask_mels=5, time_masks=1, time_mask_ms=80)
    found = augment_spectra(spectra, tf.fill([6], 50), config, tf.constant([3, 4], tf.int64), hop_ms=10).numpy()
    whole_bands, whole_frames = (found == 0).all(axis=1).sum(axis=1), (found == 0).all(axis=2).sum(axis=1)
    assert whole_bands.max() <= 5 and whole_frames.max() <= 8 and whole_bands.max() > 0 and whole_frames.max() > 0
    outside = (found == 0).sum(axis=(1, 2)) - whole_bands * 50 - whole_frames * 20 + whole_bands * whole_frames
    assert not outside.any()


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: SpeechTrainingConfig(compile="xla"), "compile must be graph"),
        (lambda: SpeechTrainingConfig(carry_state=True), "carry_state must be false"),
        (lambda: SpeechTrainingConfig(speeds=()), "speeds must be at least one number"),
        (lambda: SpeechTrainingConfig(noise_lowest_db=50), "must be at most noise_highest_db"),
        (lambda: SpeechModelConfig(strides=(9,)), "strides must be up to 8 numbers"),
        (lambda: SpeechModelConfig(mels=1), "mels must be from 8 to 128"),
        (lambda: SpeechModelConfig(hop_ms=30), "hop_ms must be at most window_ms"),
        (lambda: DecodingConfig(language_model_weight=0.5), "need a decoding.beam_width of at least 2"),
        (lambda: DecodingConfig(beam_width=0), "decoding.beam_width must be from 1 to 256"),
    ],
)
def test_settings_are_checked(make: object, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        make()


def test_receptive_field() -> None:
    model = make_model(strides=(2, 1, 3), kernel_frames=5)
    assert (model.frames_per_output, model.frames_read) == (6, 1 + 4 + 8 + 8)
