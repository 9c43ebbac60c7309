"""What was understood of videos: classes, lengths, groups, and what usually ruins a recogniser of activities."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from rnnapps.contract.data_report import AS_IT_IS, Caution, DataReport, Example, Listing, Part, Suggestion
from rnnapps.contract.sections import Block, Value
from rnnapps.data.look.repeats import repeats
from rnnapps.data.look.spreads import counted, one_sided, spread
from rnnapps.printable import name_list
from rnnapps.tasks.video_recognition.data.config import VideoDataConfig
from rnnapps.tasks.video_recognition.data.video import Video, read_video_splits

__all__ = ["look_at_videos"]

GROUPS = (r"_(g\d+)_", r"(person\d+)", r"(subject\d+)", r"(s\d+)", r"(p\d+)", r"(actor\d+)")
"""How names of files say who is seen: of UCF101, KTH, and their like."""

LEAST_GROUPS = 3
CHECKED = 200
"""Videos of which the frames themselves are looked at."""

EXAMPLES = 3


def look_at_videos(data: VideoDataConfig, given: object = None) -> DataReport:
    """Describes videos; raises DataError as `read_video_splits` does."""
    splits = read_video_splits(data, given)
    parts = splits.named()
    every = [video for own in parts.values() for video in own]
    repeated, copied = repeats(
        {name: [(video.frames.stem, video.name) for video in own] for name, own in parts.items()},
        "videos",
        remedy="scores on them are of videos that were learned by heart: leave the copies out",
    )
    labels = counted("labels", [video.label for video in every])
    seconds = spread("seconds of a video", [video.length / data.frames_per_second for video in every])
    groups, crossing = _groups(parts, data)
    megabytes = sum(video.length for video in every) * data.size**2 * data.channels / 2**20
    return DataReport(
        splits.source,
        facts=_facts(data, every),
        parts=[_part(name, own, data, dealt=name in splits.dealt) for name, own in parts.items()],
        listings=[_by_class(parts, list(labels.counts)), *([repeated] if repeated else [])],
        histograms=[seconds] if seconds else [],
        counts=[labels],
        skipped=splits.skipped,
        cautions=[*copied, *crossing, *one_sided(labels, "videos"), *_still(every)],
        suggestions=[*groups, *_clip_length(every, data)],
        examples=[_example(video) for video in splits.train[:: max(1, len(splits.train) // EXAMPLES)][:EXAMPLES]],
        costs={"decoded frames on disk, MB": round(megabytes, 1)},
    )


def _facts(config: VideoDataConfig, every: Sequence[Video]) -> dict[str, Value]:
    """What is known of the source as a whole."""
    frames = f"{config.size} x {config.size}, {config.colour}, {config.frames_per_second:g} a second"
    return {"videos": len(every), "classes": len({video.label for video in every}), "frames as read": frames}


def _part(name: str, own: Sequence[Video], config: VideoDataConfig, *, dealt: bool) -> Part:
    """The size of a part, and why it is that."""
    sizes = {"videos": len(own), "frames": sum(video.length for video in own)}
    if name == "test" and config.test is not None:
        return Part(name, sizes, f"all of {config.test}")
    how = "in whole groups" if config.groups else "of each class"
    share = 100 * getattr(config, f"{name}_fraction", 0)
    return Part(name, sizes, f"{share:.0f} % {how}, at random" if dealt else AS_IT_IS)


def _by_class(parts: Mapping[str, Sequence[Video]], labels: Sequence[str]) -> Listing:
    """Videos of each class in each part."""
    rows: list[Sequence[Value]] = [
        (label, *(sum(video.label == label for video in own) for own in parts.values())) for label in labels
    ]
    return Listing("videos of a class", ("class", *parts), rows)


def _groups(parts: Mapping[str, Sequence[Video]], config: VideoDataConfig) -> tuple[list[Suggestion], list[Caution]]:
    """The expression that finds persons or scenes in the names, where there is one, and whether splits mix them."""
    names = {part: [video.name for video in own] for part, own in parts.items()}
    pattern = config.groups or _pattern([name for own in names.values() for name in own])
    if not pattern:
        return [], []
    found = {part: {_group(pattern, name) for name in own} for part, own in names.items()}
    shared = sorted(found["train"] & (found["validation"] | found["test"]))
    if not shared:
        return [], []
    named = f"{len(shared)} groups of names ({name_list(shared, 3)})"
    told = f"{named} are in training and in held-out videos: the same people or scenes"
    suggestions = [Suggestion("data.groups", pattern, "names seem to say who is seen")] if not config.groups else []
    return suggestions, [Caution(told, f"scores of new people are lower: --data.groups '{pattern}'")]


def _pattern(names: Sequence[str]) -> str:
    """The first expression that finds a group in all names, several of them; "" for none."""
    for pattern in GROUPS:
        matches = [re.search(pattern, name) for name in names]
        if all(matches) and LEAST_GROUPS <= len({match[1] for match in matches if match}) < len(names):
            return pattern
    return ""


def _group(pattern: str, name: str) -> str:
    """The group of a name; all of it where there is none."""
    match = re.search(pattern, name)
    return name if match is None else match.group(match.re.groups and 1)


def _still(every: Sequence[Video]) -> list[Caution]:
    """Tells of videos in which nothing moves."""
    checked = every[:: max(1, len(every) // CHECKED)][:CHECKED]
    still = [video.name for video in checked if video.length < 2 or _stands_still(video)]
    if not still:
        return []
    told = f"nothing moves in {len(still)} of {len(checked)} videos that were looked at: {name_list(still, 3)}"
    return [Caution(told, "leave them out, unless standing still is a class")]


def _stands_still(video: Video) -> bool:
    """Whether three frames of it are the same."""
    first, middle, last = video.rows(np.array([0, video.length // 2, video.length - 1]))
    return bool((first == middle).all() and (middle == last).all())


def _clip_length(every: Sequence[Video], config: VideoDataConfig) -> list[Suggestion]:
    """Clips as long as most videos, where they are far from that."""
    usual = float(np.percentile([video.length for video in every], 75)) / config.frames_per_second
    if 0.5 * usual <= config.clip_seconds <= 2 * usual:
        return []
    value = round(min(max(usual, 2 / config.frames_per_second, 0.5), 10.0), 1)
    if value == config.clip_seconds:
        return []
    return [Suggestion("data.clip_seconds", value, f"three of four videos last up to {usual:.1f} s")]


def _example(video: Video) -> Example:
    """A video as its label, and as a strip of frames."""
    return Example(video.name, f"{video.label}, {video.length} frames", partial(_strip, video))


def _strip(video: Video) -> Sequence[Block]:
    """Eight frames of a video."""
    from rnnapps.tasks.video_recognition.film_strips import plot_contact_sheet

    return [plot_contact_sheet([video.rows()], [f"{video.name}: {video.label}"]).picture()]
