"""Reads Standard MIDI Files inside the graph of an exported model: bytes to notes on a grid, by TensorFlow core only.

It takes the files that `parse_midi` of `data.midi` takes, and reads the same notes from them, within tighter
limits of size. A row that holds no such file gets a problem instead of notes and disturbs no other row.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from rnnapps.preprocessing.raw_bytes import big_endian
from rnnapps.tasks.music_generation.data.midi import DRUMS, MAXIMUM_TRACKS
from rnnapps.tasks.music_generation.data.midi_events import CONTROL, NOTE_OFF, NOTE_ON, PEDAL
from rnnapps.tasks.music_generation.data.midi_timeline import PEDAL_DOWN
from rnnapps.tasks.music_generation.data.piece import HIGHEST_KEY, KEYS, LOWEST_KEY
from rnnapps.tasks.music_generation.preprocessing.midi_conductor import (
    SPAN_TICKS,
    conductor_events,
    steps_of,
    unknown_signatures,
)
from rnnapps.tasks.music_generation.preprocessing.midi_scan import (
    Events,
    Tracks,
    at,
    find_events,
    find_tracks,
)
from rnnapps.tasks.music_generation.preprocessing.music_tensors import running_maximum
from rnnapps.types import Tensor

__all__ = ["LARGEST_BYTES", "LONGEST_STEPS", "PROBLEMS", "MidiNotes", "read_midi"]

LARGEST_BYTES = 256 << 10
LONGEST_STEPS = 4096

PROBLEMS = (
    "",
    f"has more than {LARGEST_BYTES:,} bytes",
    "is no Standard MIDI File of type 0 or 1 in beats",
    "is cut off or damaged",
    f"lasts more than {LONGEST_STEPS:,} grid steps",
    "has a time signature that counts in less than 128ths",
    f"holds no note from {LOWEST_KEY} to {HIGHEST_KEY}, the keys of a piano",
)
"""What can be wrong with a file, by its number; 0 is nothing."""

MTHD = int.from_bytes(b"MThd", "big")
CHANNELS = 16
NEVER = 1 << 62
"""Later than anything, in rows, channels and ticks together."""

SPARE_BYTES = 16
"""Zeros behind the end of a file, from which reading beyond it reads."""


class MidiNotes(NamedTuple):
    """What was read. A row with a problem is as silent as an empty one.

    Attributes:
        sounding: bool `(batch, steps, 88)`, whether a key sounds.
        struck: the same shape, whether a note begins.
        velocity: int32 of the same shape, where a note begins that of the loudest.
        lengths: int32 `(batch,)`, steps until the last note has ended.
        conductor: strings `(batch,)`, the events of a track that tell tempo and time signature.
        problem: int32 `(batch,)`, place in `PROBLEMS`.
    """

    sounding: Tensor
    struck: Tensor
    velocity: Tensor
    lengths: Tensor
    conductor: Tensor
    problem: Tensor


class _Notes(NamedTuple):
    """Where notes begin and end, in the order of the file; all `(changes,)`.

    Attributes:
        row: int64, the file.
        voice: int64, number of file, track, channel and pitch together.
        channel: int64.
        step: grid step, int32; at first tick, int64.
        last: the same of the end of the track.
        pitch: int32.
        change: int32, 1 where a note begins, -1 where one ends.
        velocity: int32.
    """

    row: Tensor
    voice: Tensor
    channel: Tensor
    step: Tensor
    last: Tensor
    pitch: Tensor
    change: Tensor
    velocity: Tensor


def read_midi(contents: Tensor, *, steps_per_beat: int, percussion: bool = False) -> MidiNotes:
    """Reads files onto a grid; an empty string is an empty piece.

    Args:
        contents: strings `(batch,)`.
        steps_per_beat: grid steps in a quarter note.
        percussion: read channel 10 instead of all others.
    """
    sizes = tf.strings.length(contents)
    too_large = sizes > LARGEST_BYTES
    contents, sizes = tf.where(too_large, "", contents), tf.where(too_large, 0, sizes)
    # (batch, bytes): all files as wide as the largest, zeros behind their ends.
    data = tf.io.decode_raw(contents, tf.uint8, fixed_length=tf.reduce_max(sizes) + SPARE_BYTES)
    data, empty, sizes = tf.cast(data, tf.int32), sizes == 0, tf.cast(sizes, tf.int64)
    known, division, claimed, first = _header(data, sizes)
    tracks = find_tracks(data, sizes, tf.where(known, first, sizes))
    events = find_events(data, tracks)
    ticks, totals = _times(events, tracks)
    too_long = tf.reduce_any(ticks * steps_per_beat // division[:, None] >= LONGEST_STEPS, axis=1)
    damaged = ~events.good | ~tracks.good | (tracks.count != claimed)
    ticks, totals = (tf.minimum(moments, SPAN_TICKS - 1) for moments in (ticks, totals))
    notes = _notes(data, tracks, events, ticks=ticks, totals=totals, percussion=percussion)
    moments = [tf.minimum(_sustained(data, events, ticks, notes), notes.last), notes.last]
    moments = [steps_of(moment, tf.gather(division, notes.row), steps_per_beat=steps_per_beat) for moment in moments]
    step, last = (tf.cast(tf.minimum(moment, LONGEST_STEPS), tf.int32) for moment in moments)
    notes = notes._replace(step=step, last=last)
    begun = _any_of(notes, (notes.change > 0) & (notes.pitch >= LOWEST_KEY) & (notes.pitch <= HIGHEST_KEY), sizes)
    problem = tf.zeros_like(claimed)
    rules = (too_large, ~known, damaged, too_long, unknown_signatures(data, events), ~begun & ~empty)
    # From the last rule to the first: of several problems the one with the lowest number is told.
    for number, wrong in reversed(list(enumerate(rules, start=1))):
        problem = tf.where(wrong, number, problem)
    good = problem == 0
    conductor = tf.where(good, conductor_events(data, events, ticks, division, steps_per_beat=steps_per_beat), "")
    return MidiNotes(*_rolls(notes, good), conductor, problem)


def _header(data: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(whether it is one this reads, ticks of a quarter note, number of tracks, place of the first chunk) of files."""
    head = tf.gather(data, tf.range(14), axis=1)
    kind, claimed, division = (big_endian(head[:, start : start + 2]) for start in (8, 10, 12))
    known = (big_endian(head[:, :4]) == MTHD) & (sizes >= 14) & (kind <= 1) & (claimed <= MAXIMUM_TRACKS)
    known &= (division > 0) & (division < 0x8000)
    filled = sizes > 0
    division, claimed = tf.where(known, division, 1), tf.where(known, claimed, 0)
    return known | ~filled, division, tf.cast(claimed, tf.int32), tf.where(filled, 8 + big_endian(head[:, 4:8]), 0)


def _times(events: Events, tracks: Tracks) -> tuple[Tensor, Tensor]:
    """Ticks from the beginning of the track to the event at each byte, and to the end of its track, int64."""
    delta = tf.cast(tf.where(events.found, events.delta, 0), tf.int64)
    # One running sum over the file; what it was where the track began is taken off. It never falls, so that the latest
    # beginning is a running maximum.
    now = tf.cumsum(delta, axis=1)
    before = running_maximum(tf.where(tracks.begins, now - delta, 0))
    inside = tracks.number > 0
    ticks, totals = now - before, at(now, tf.maximum(tracks.end - 1, 0)) - before
    return tf.where(inside, ticks, 0), tf.where(inside, totals, 0)


def _notes(data: Tensor, tracks: Tracks, events: Events, *, ticks: Tensor, totals: Tensor, percussion: bool) -> _Notes:
    """The changes of notes, of all bytes `(batch, bytes)` those at which one begins, in the order of the files."""
    channel = events.status & 0x0F
    note = events.found & (events.status >= NOTE_OFF) & (events.status < NOTE_ON + 0x10) & (events.kind < 0)
    places = tf.where(note & ((channel == DRUMS) == percussion))
    body = tf.cast(tf.gather_nd(events.body, places), tf.int64)
    pitch, velocity = (tf.gather_nd(data, tf.stack([places[:, 0], body + shift], axis=1)) for shift in (0, 1))
    struck = (tf.gather_nd(events.status, places) >= NOTE_ON) & (velocity > 0)
    track, channel = (tf.cast(tf.gather_nd(values, places), tf.int64) for values in (tracks.number, channel))
    # File, track, channel and pitch as the digits of one number, so that a sort brings a voice together.
    voice = places[:, 0]
    for number, count in zip((track, channel, pitch), (MAXIMUM_TRACKS + 1, CHANNELS, 128), strict=True):
        voice = voice * count + tf.cast(number, tf.int64)
    change, velocity = tf.where(struck, 1, -1), tf.where(struck, velocity, 0)
    step, last = (tf.gather_nd(moments, places) for moments in (ticks, totals))
    return _Notes(places[:, 0], voice, channel, step, last, pitch, change, velocity)


def _any_of(notes: _Notes, which: Tensor, sizes: Tensor) -> Tensor:
    """Whether a file has any of some changes, bool `(batch,)`."""
    return tf.math.unsorted_segment_sum(tf.cast(which, tf.int32), notes.row, tf.shape(sizes)[0]) > 0


def _sustained(data: Tensor, events: Events, ticks: Tensor, notes: _Notes) -> Tensor:
    """When changes happen, in ticks: those that end a note while its channel's pedal is down, when it rises next."""
    moved = events.found & (events.status // 16 == CONTROL // 16) & (events.kind < 0)
    places = tf.where(moved & (at(data, events.body) == PEDAL))
    group = places[:, 0] * CHANNELS + tf.cast(tf.gather_nd(events.status % CHANNELS, places), tf.int64)
    moment = group * SPAN_TICKS + tf.gather_nd(ticks, places)
    order = tf.argsort(moment, stable=True)
    body = tf.cast(tf.gather_nd(events.body, places), tf.int64)
    down = tf.gather_nd(data, tf.stack([places[:, 0], body + 1], axis=1)) >= PEDAL_DOWN
    # One move before all others, which finds who has none; behind the last rise of all lies the end of time.
    moment = tf.concat([[-1], tf.gather(moment, order)], axis=0)
    down = tf.concat([[False], tf.gather(down, order)], axis=0)
    rising = running_maximum(tf.reverse(tf.where(down, tf.zeros_like(moment), NEVER - moment), [0])[None])
    rises = NEVER - tf.reverse(rising[0], [0])
    group = notes.row * CHANNELS + notes.channel
    latest = tf.searchsorted(moment, group * SPAN_TICKS + notes.step, side="right") - 1
    held = (notes.change < 0) & tf.gather(down, latest) & (tf.gather(moment, latest) // SPAN_TICKS == group)
    rise = tf.gather(rises, latest)
    rise = tf.where(rise // SPAN_TICKS == group, rise % SPAN_TICKS, notes.last)
    return tf.where(held, tf.maximum(rise, notes.step), notes.step)


def _paired(notes: _Notes) -> tuple[_Notes, Tensor]:
    """The changes voice by voice, 0 where nothing sounds that could end, and how many notes a voice's last leaves on.

    A voice is a queue: what ends is the note that began first. Its length is the sum of the changes, reflected at 0.
    """
    order = tf.argsort(notes.voice, stable=True)
    notes = _Notes(*(tf.gather(column, order) for column in notes))
    count = tf.size(order, tf.int64)
    first = tf.concat([tf.ones([1], tf.bool), notes.voice[1:] != notes.voice[:-1]], axis=0)[:count]
    group = tf.cumsum(tf.cast(first, tf.int64)) - 1
    change = tf.cast(notes.change, tf.int64)
    total = tf.cumsum(change)  # over all voices; then, by voice, without what came before its first change
    total -= tf.gather(tf.boolean_mask(total - change, first), group)
    # The deepest that a sum has fallen below 0 so far; groups lie too far apart to meet.
    depth = running_maximum((tf.maximum(-total, 0) + group * (count + 1))[None])[0] - group * (count + 1)
    before = tf.where(first, tf.zeros_like(depth), tf.pad(depth, [[1, 0]])[:count])
    last = tf.concat([first[1:], tf.ones([1], tf.bool)], axis=0)[:count]
    left = tf.where(last, total + depth, 0)
    # A release that takes the sum to a new depth has nothing to end.
    return notes._replace(change=tf.where(-total > before, 0, notes.change)), tf.cast(left, tf.int32)


def _rolls(notes: _Notes, good: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(sounding, struck, velocity, lengths) as `MidiNotes` has them, of the files that are good."""
    notes, left = _paired(notes)
    keep = tf.gather(good, notes.row) & (notes.pitch >= LOWEST_KEY) & (notes.pitch <= HIGHEST_KEY)
    notes, left = _Notes(*(tf.boolean_mask(column, keep) for column in notes)), tf.boolean_mask(left, keep)
    key = tf.clip_by_value(notes.pitch - LOWEST_KEY, 0, KEYS - 1)
    rows = tf.cast(notes.row, tf.int32)
    places, ends = (tf.stack([rows, step, key], axis=1) for step in (notes.step, notes.last))
    shape = tf.stack([tf.shape(good)[0], tf.reduce_max(tf.pad(notes.last, [[0, 1]])) + 2, KEYS])
    # (batch, steps, 88): how many notes of a key begin less how many end; those that never end, end with their track.
    change = tf.scatter_nd(places, notes.change, shape) - tf.scatter_nd(ends, left, shape)
    struck = tf.scatter_nd(places, tf.cast(notes.change > 0, tf.int32), shape) > 0
    velocity = tf.tensor_scatter_nd_max(tf.zeros(shape, tf.int32), places, notes.velocity)
    # A note rounded to no length lasts for the step it begins in.
    sounding = (tf.cumsum(change, axis=1) > 0) | struck
    steps = tf.where(tf.reduce_any(sounding, axis=2), tf.range(1, shape[1] + 1)[None], 0)
    return sounding, struck, velocity, tf.reduce_max(steps, axis=1)
