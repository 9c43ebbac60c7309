"""One step of reading Standard MIDI Files with TensorFlow core operations: an event of each file of a batch.

It reads what `rnnapps.data.midi_events.track_events` reads.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from rnnapps.data.midi import DRUMS
from rnnapps.data.midi_events import ESCAPE, META, NOTE_OFF, NOTE_ON, SHORTEST, SYSTEM_EXCLUSIVE, TEMPO, TIME_SIGNATURE
from rnnapps.data.piece import HIGHEST_KEY, LOWEST_KEY

__all__ = [
    "CHANNELS",
    "DAMAGED",
    "NO_MIDI",
    "OFF_THE_PIANO",
    "PITCHES",
    "SILENT",
    "TOO_LARGE",
    "TOO_LONG",
    "Reading",
    "big_endian",
    "bytes_at",
    "read_event",
]

TOO_LARGE, NO_MIDI, DAMAGED, TOO_LONG, OFF_THE_PIANO, SILENT = range(1, 7)
"""What can be wrong with a file."""

MTRK = int.from_bytes(b"MTrk", "big")
CHANNELS, PITCHES = 16, 128


class Reading(NamedTuple):
    """Where each row's reader is; all `(batch,)` but `held`.

    Attributes:
        place: byte to read next, int64.
        end: end of the chunk, int64.
        ticks: since the beginning of the track, int64.
        running: running status; 0 for none.
        tracks: read so far.
        tempo: the first; -1 before.
        numerator: the first; -1 before.
        exponent: with it.
        held: notes that sound on each channel and pitch `(batch, 2048)`.
        sounding: their sum.
        notes: begun so far.
        problem: found so far.
    """

    place: Any
    end: Any
    ticks: Any
    running: Any
    tracks: Any
    tempo: Any
    numerator: Any
    exponent: Any
    held: Any
    sounding: Any
    notes: Any
    problem: Any


def read_event(data: Any, sizes: Any, now: Reading, *, percussion: bool) -> tuple[Reading, list[Any]]:
    """One event, the release of one note at the end of a track, or the head of a chunk, for each row.

    Returns the reader behind it and the change of a note: pitch, 1 struck or -1 released, velocity; zeros for none.
    """
    inside, held = now.place < now.end, now.sounding > 0
    event, body = _event(data, now)
    kind, drums = event["status"] & 0xF0, (event["status"] & 0x0F) == DRUMS
    note = inside & ((kind == NOTE_ON) | (kind == NOTE_OFF)) & (drums == percussion) & (event["problem"] == 0)
    first, second = body[:, 0], body[:, 1]
    last = tf.argmax(now.held, axis=1, output_type=tf.int32)
    key = tf.where(inside, (event["status"] & 0x0F) * PITCHES + tf.minimum(first, PITCHES - 1), last)
    struck = note & (kind == NOTE_ON) & (second > 0)
    released = tf.where(inside, note & ~struck, held) & (tf.gather(now.held, key, batch_dims=1) > 0)
    change = tf.cast(struck, tf.int32) - tf.cast(released, tf.int32)
    places = tf.stack([tf.range(tf.shape(key)[0]), key], axis=1)
    off = struck & ((first < LOWEST_KEY) | (first > HIGHEST_KEY))
    chunk = _chunk(data, sizes, now)
    opens = ~inside & ~held
    read = Reading(
        place=tf.where(inside, event["next"], tf.where(opens, chunk["place"], now.place)),
        end=tf.where(opens, chunk["end"], now.end),
        ticks=tf.where(inside, now.ticks + event["delta"], tf.where(opens, tf.zeros_like(now.ticks), now.ticks)),
        running=tf.where(inside, event["running"], tf.where(opens, 0, now.running)),
        tracks=now.tracks + tf.cast(opens & chunk["track"], tf.int32),
        tempo=tf.where(inside & event["tempo"] & (now.tempo < 0), tf.cast(big_endian(body), tf.int32), now.tempo),
        numerator=tf.where(inside & event["bar"] & (now.numerator < 0), first, now.numerator),
        exponent=tf.where(inside & event["bar"] & (now.numerator < 0), second, now.exponent),
        held=tf.tensor_scatter_nd_add(now.held, places, change),
        sounding=now.sounding + change,
        notes=now.notes + tf.cast(struck, tf.int32),
        problem=tf.where(inside, tf.where(off, OFF_THE_PIANO, event["problem"]), tf.where(opens, chunk["problem"], 0)),
    )
    return read, [key % PITCHES, change, tf.where(struck, second, 0)]


def _event(data: Any, now: Reading) -> tuple[dict[str, Any], Any]:
    """The event at each row's place, and the first three bytes of its content."""
    delta, size = _number(data, now.place)
    place = now.place + size
    head = bytes_at(data, place, 2)
    follows = head[:, 0] < 0x80
    status = tf.where(follows, now.running, head[:, 0])
    place += tf.where(follows, tf.zeros_like(place), tf.ones_like(place))
    channel, meta = status < SYSTEM_EXCLUSIVE, status == META
    long = meta | (status == SYSTEM_EXCLUSIVE) | (status == ESCAPE)
    kind = tf.where(meta, head[:, 1], -1)
    place += tf.cast(meta, tf.int64)
    length, width = _number(data, place)
    place += tf.where(long, width, tf.zeros_like(width))
    body = bytes_at(data, place, 3)
    short = channel & (status >= 0xC0) & (status < 0xE0)
    size = tf.where(long, length, tf.where(short, tf.ones_like(length), 2 * tf.ones_like(length)))
    wrong = (follows & (now.running == 0)) | ~(channel | long) | (delta < 0) | (long & (length < 0))
    wrong |= channel & ((body[:, 0] > 127) | (~short & (body[:, 1] > 127)))
    for each, least in SHORTEST.items():
        wrong |= (kind == each) & (length < least)
    behind = place + tf.maximum(size, 0)
    event = {
        "delta": tf.maximum(delta, 0),
        "status": status,
        "running": tf.where(channel, status, now.running),
        "next": behind,
        "tempo": kind == TEMPO,
        "bar": kind == TIME_SIGNATURE,
        "problem": tf.where(wrong | (behind > now.end), DAMAGED, 0),
    }
    return event, body


def _chunk(data: Any, sizes: Any, now: Reading) -> dict[str, Any]:
    """The chunk whose head is at each row's place; a chunk that is no track is skipped."""
    head = bytes_at(data, now.place, 8)
    end = now.place + 8 + big_endian(head[:, 4:])
    track = big_endian(head[:, :4]) == MTRK
    problem = tf.where(end > sizes, DAMAGED, 0)
    return {"track": track, "place": tf.where(track, now.place + 8, end), "end": end, "problem": problem}


def _number(data: Any, place: Any) -> tuple[Any, Any]:
    """A number of one to four bytes, 7 bits each, int64, -1 where it has more; and how many bytes it has, int64."""
    window = bytes_at(data, place, 4)
    values = [window[:, 0] & 0x7F]
    for byte in range(1, 4):
        values.append(values[-1] * 128 + (window[:, byte] & 0x7F))
    last = window < 0x80
    size = tf.argmax(tf.cast(last, tf.int32), axis=1)
    value = tf.gather(tf.stack(values, axis=1), size, batch_dims=1)
    return tf.cast(tf.where(tf.reduce_any(last, axis=1), value, -1), tf.int64), size + 1


def bytes_at(data: Any, place: Any, count: int) -> Any:
    """So many bytes from each row's place `(batch, count)`; zeros behind the end."""
    width = tf.shape(data, tf.int64)[1]
    places = tf.minimum(place[:, None] + tf.range(count, dtype=tf.int64), width - 1)
    return tf.gather(data, places, batch_dims=1)


def big_endian(data: Any) -> Any:
    """Bytes `(batch, count)` as one number, int64 `(batch,)`."""
    number = tf.zeros_like(data[:, 0], tf.int64)
    for place in range(data.shape[1]):
        number = number * 256 + tf.cast(data[:, place], tf.int64)
    return number
