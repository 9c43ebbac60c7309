"""The built-in videos: stick figures, drawn once, kept as mp4 files like anyone's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rnnapps.atomic import working_folder
from rnnapps.data.cache_folder import cache_folder
from rnnapps.errors import DataError
from rnnapps.tasks.video_recognition.data.file import write_mp4
from rnnapps.tasks.video_recognition.data.stick_figure_film import FILM_RATE, film
from rnnapps.tasks.video_recognition.data.stick_figures import ACTIVITIES

__all__ = ["PER_ACTIVITY", "builtin_videos", "write_stick_figures"]

VERSION = 1
"""Changes when the drawing does."""

PER_ACTIVITY = {"train": 50, "validation": 10, "test": 25}
"""Videos of each activity in each part."""


def builtin_videos(per_activity: Mapping[str, int] = PER_ACTIVITY) -> Path:
    """The folder of the built-in videos, which is made when it is missing; that takes about a minute.

    Raises:
        DataError: the cache folder cannot be written.
    """
    sizes = "-".join(str(count) for count in per_activity.values())
    folder = cache_folder() / f"stick_figures-{VERSION}-{sizes}"
    if not folder.is_dir():
        try:
            with working_folder(folder.parent, ".stick_figures-") as work:
                write_stick_figures(work / "films", per_activity)
                if not folder.is_dir():  # another process may have been faster
                    os.replace(work / "films", folder)
        except OSError as error:
            remedy = "free space, or name another folder by the variable RNNAPPS_CACHE"
            raise DataError(folder.parent, f"cannot be written: {error.strerror or error}", remedy) from None
    return folder


def write_stick_figures(folder: Path, per_activity: Mapping[str, int], *, seed: int = 0) -> None:
    """Writes `<part>/<activity>/<number>.mp4`; each film depends on its names and the seed only.

    Args:
        folder: made when it is missing.
        per_activity: name of a part -> films of each activity.
        seed: of everything random.
    """
    for part, count in per_activity.items():
        for kind, activity in enumerate(ACTIVITIES):
            target = folder / part / activity
            target.mkdir(parents=True, exist_ok=True)
            for number in range(count):
                key = [seed, *part.encode(), kind, number]
                write_mp4(target / f"{number:03}.mp4", film(activity, np.random.default_rng(key)), rate=FILM_RATE)
