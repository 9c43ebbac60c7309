"""Trains and scores the small network that tells speech from what is none, on the built-in voices (synthetic).

python -m models.voice_activity           # trains, writes its weights into rnnapps, and scores them on test voices
python -m models.voice_activity --score   # scores the weights that are there

A frame is speech where the clip itself is loud, before noise is added: within 35 dB of its loudest frame. The spectrum
of training noise falls by 0 to 6 dB an octave, or it is the babble of other training voices; test noise is white, brown
or the babble of test voices.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from rnnapps.tasks.speech_recognition.data.spoken_numbers import clean_numbers
from rnnapps.tasks.speech_recognition.segmentation.activity import Activity, scored_stretches
from rnnapps.tasks.speech_recognition.segmentation.energy import EnergyActivity, frame_decibels
from rnnapps.tasks.speech_recognition.segmentation.network_activity import (
    RATE_HZ,
    WEIGHTS,
    NetworkActivity,
    activity_features,
    activity_network,
    centred,
)
from rnnapps.types import Array, Tensor

__all__ = ["frame_errors", "labelled", "main"]

CLIPS = {"train": 1200, "validation": 150, "test": 200}
EXCERPT_SECONDS, CROP_FRAMES = 30, 1400
LOUD_DECIBELS = 35.0
SIGNAL_TO_NOISE = (20.0, 10.0, 5.0, 0.0, -5.0)
BATCH, STEPS, LEARNING_RATE = 8, 320, 4e-3
FRAME = RATE_HZ // 100


@dataclass(frozen=True)
class Labelled:
    """Sound with what is speech in it.

    Attributes:
        samples: float32 `(samples,)`.
        spoken: bool `(frames,)`.
    """

    samples: Array
    spoken: Array


def labelled(clips: Sequence[Array], *, seconds: float, decibels: float, noise: str, seed: int) -> Labelled:
    """Clips with pauses between them, and noise over all of it.

    Args:
        clips: float32 `(samples,)` each, without noise.
        seconds: how long it lasts.
        decibels: by which the clips are louder than the noise while somebody speaks.
        noise: `white`, `brown`, `babble`, or `any` of a random kind.
        seed: chooses everything.
    """
    random = np.random.default_rng(seed)
    size = round(seconds * RATE_HZ) // FRAME * FRAME
    clean, spoken = np.zeros(size, np.float32), np.zeros(size // FRAME, bool)
    busy = random.uniform(0.2, 4.0)  # longest pause
    place = round(random.uniform(0, busy) * RATE_HZ) // FRAME * FRAME
    while place < size:
        clip = clips[random.integers(len(clips))] * 10 ** (random.uniform(-6, 6) / 20)
        part = clip[: size - place]
        clean[place : place + len(part)] = part
        loud = loud_frames(clip)[: -(-len(part) // FRAME)]
        spoken[place // FRAME : place // FRAME + len(loud)] = loud[: len(spoken) - place // FRAME]
        place += -(-len(clip) // FRAME) * FRAME + round(random.uniform(0.1, busy) * 100) * FRAME
    frames = np.repeat(spoken, FRAME)
    power = float(np.mean(clean[frames] ** 2)) if spoken.any() else 1.0
    background = _noise(noise, size, clips, random)
    sound = clean + background * np.sqrt(power) * 10 ** (-decibels / 20)
    return Labelled((sound * random.uniform(0.02, 0.1) / np.sqrt(power)).astype(np.float32), spoken)


def loud_frames(clip: Array) -> Array:
    """Which frames of a clip without noise are speech, bool `(frames,)`."""
    levels = frame_decibels(clip, FRAME)
    loud: Array = levels > levels.max() - LOUD_DECIBELS
    return loud


def _noise(kind: str, size: int, clips: Sequence[Array], random: np.random.Generator) -> Array:
    """Noise of root mean square 1, float64 `(size,)`."""
    if kind == "any":
        kind = "babble" if random.random() < 0.3 else "coloured"
    if kind == "babble":
        sound = sum(_babbler(clips, size, random) for _ in range(int(random.integers(5, 9))))
    else:
        slope = {"white": 0.0, "brown": 1.0, "coloured": random.uniform(0, 1)}[kind]
        spectrum = np.fft.rfft(random.normal(size=size))
        spectrum /= np.maximum(np.arange(len(spectrum)), 20 * size / RATE_HZ) ** slope
        sound = np.fft.irfft(spectrum, size)
        if kind == "coloured":  # comes and goes within some seconds
            knots = random.uniform(-3, 3, size // RATE_HZ + 2)
            sound *= 10 ** (np.interp(np.arange(size) / RATE_HZ, np.arange(len(knots)), knots) / 20)
    return sound / np.sqrt(np.mean(sound**2))


def _babbler(clips: Sequence[Array], size: int, random: np.random.Generator) -> Array:
    """One who speaks without a pause, float64 `(size,)`."""
    parts: list[Array] = []
    while sum(map(len, parts)) < size:
        parts.append(clips[random.integers(len(clips))])
    return np.concatenate(parts)[:size].astype(np.float64)


def _batches(clips: Sequence[Array]) -> tf.data.Dataset:
    """Features `(batch, frames, bands)` and whether each output is speech `(batch, outputs)`."""

    def rows() -> object:
        number = 0
        while True:
            number += 1
            ratio = float(np.random.default_rng(-number % 2**32).uniform(-5, 30))
            made = labelled(clips, seconds=EXCERPT_SECONDS, decibels=ratio, noise="any", seed=number)
            features = activity_features(made.samples)
            for first in (0, len(features) - CROP_FRAMES):
                crop = slice(first, first + CROP_FRAMES)
                yield features[crop], centred(made.spoken[crop].astype(np.float32))

    size = (CROP_FRAMES, activity_features(np.zeros(RATE_HZ, np.float32)).shape[1])
    outputs = len(centred(np.zeros(CROP_FRAMES)))
    signature = (tf.TensorSpec(size, tf.float32), tf.TensorSpec((outputs,), tf.float32))
    return tf.data.Dataset.from_generator(rows, output_signature=signature).batch(BATCH).prefetch(4)


def train(clips: Sequence[Array]) -> keras.Model:
    """A network that has learned from clips without noise."""
    keras.utils.set_random_seed(0)
    network = activity_network()
    schedule = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, STEPS)
    optimizer = keras.optimizers.Adam(schedule, global_clipnorm=1.0)

    @tf.function(autograph=False, reduce_retracing=True)
    def step(features: Tensor, spoken: Tensor) -> Tensor:
        with tf.GradientTape() as tape:
            lengths = tf.fill([tf.shape(features)[0]], tf.shape(features)[1])
            logits = network({"features": features, "lengths": lengths}, training=True)["logits"][..., 0]
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(spoken, logits))
        gradients = tape.gradient(loss, network.trainable_variables)
        optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))
        return loss

    begun, losses = time.perf_counter(), []
    for number, (features, spoken) in enumerate(_batches(clips).take(STEPS), start=1):
        losses.append(float(step(features, spoken)))
        if number % 100 == 0:
            told = f"step {number}: {np.mean(losses[-100:]):.4f} nats, {time.perf_counter() - begun:.0f} s"
            print(told, file=sys.stderr, flush=True)
    return network


def frame_errors(
    activities: dict[str, Callable[[], Activity]], clips: Sequence[Array], *, seconds: float = 300
) -> dict[tuple[str, str, float], float]:
    """Share of the frames that are wrong, by name of the activity, kind of noise, and ratio of signal to noise."""
    found = {}
    for kind in ("white", "brown", "babble"):
        for decibels in SIGNAL_TO_NOISE:
            made = labelled(clips, seconds=seconds, decibels=decibels, noise=kind, seed=1)
            for name, activity in activities.items():
                scored = scored_stretches([made.samples], activity(), RATE_HZ)
                spoken = np.concatenate([scores for _, scores in scored]) > 0
                found[name, kind, decibels] = float(np.mean(spoken != made.spoken))
    return found


def main() -> int:
    """Trains, and prints frame errors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--score", action="store_true", help="score the weights that are there")
    parser.add_argument("--part", choices=("validation", "test"), default="test", help="whose voices are scored")
    options = parser.parse_args()
    if not options.score:
        network = train(clean_numbers("train", CLIPS["train"], sample_rate_hz=RATE_HZ))
        names = [f"{number:02}" for number in range(len(network.weights))]
        weights = dict(zip(names, (weight.numpy().astype(np.float16) for weight in network.weights), strict=True))
        with Path(WEIGHTS).open("wb") as file:
            np.savez_compressed(file, **weights)
    activities: dict[str, Callable[[], Activity]] = {
        "energy": lambda: EnergyActivity(RATE_HZ),
        "network": lambda: NetworkActivity(RATE_HZ),
    }
    clips = clean_numbers(options.part, CLIPS[options.part], sample_rate_hz=RATE_HZ)
    errors = frame_errors(activities, clips)
    print("".join((f"{'':<20}", *(f"{decibels:>7g} dB" for decibels in SIGNAL_TO_NOISE))))
    for name, kind in dict.fromkeys((name, kind) for name, kind, _ in errors):
        cells = "".join(f"{errors[name, kind, decibels]:>10.3f}" for decibels in SIGNAL_TO_NOISE)
        print(f"{f'{name}, {kind}':<20}{cells}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
