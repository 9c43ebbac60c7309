"""All models of the server: found by polling, loaded before the older version goes, looked up for every request."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rnnapps.export.graph import GRAPH
from rnnapps.serving.batcher import processors
from rnnapps.serving.model_config import ModelConfig
from rnnapps.serving.model_process import AGAIN_SECONDS
from rnnapps.serving.options import ServeOptions
from rnnapps.serving.refusal import Code, Refusal
from rnnapps.serving.served_version import Observer, Place, ServedVersion

__all__ = ["Registry"]

LOG = logging.getLogger("rnnapps.serving")


class Registry:
    """The models.

    Args:
        configs: returns what should be served; it is asked at each poll.
        options: settings of the server.
        observer: is told what happens.
    """

    def __init__(self, configs: Callable[[], Sequence[ModelConfig]], options: ServeOptions, observer: Observer) -> None:
        self._configs, self._options, self._observer = configs, options, observer
        self._labels: dict[str, dict[str, int]] = {}
        self._versions: dict[tuple[str, int], ServedVersion] = {}
        self._stamps: dict[tuple[str, int], tuple[int, int]] = {}
        self._loading = asyncio.Semaphore(processors())
        self._polling = asyncio.Lock()
        self.polled = False

    def replace(self, configs: Callable[[], Sequence[ModelConfig]]) -> None:
        """Takes another source of configurations, which counts from the next poll on."""
        self._configs = configs

    async def poll(self) -> None:
        """Loads what is new and wanted, then unloads what no longer is, unless it answers for one that was refused."""
        async with self._polling:
            configs = await asyncio.to_thread(lambda: [(config, config.wanted()) for config in self._configs()])
            self._labels = {config.name: dict(config.labels) for config, _ in configs}
            wanted = {(config.name, number): path for config, paths in configs for number, path in paths.items()}
            new = [(key, path) for key, path in wanted.items() if self._is_new(key, path)]
            # The largest graph takes longest: begun last, it would keep one processor busy and the others idle.
            new.sort(key=lambda item: -_stamp(item[1])[1])
            await asyncio.gather(*(self._load(key, path) for key, path in new))
            await asyncio.gather(*(self._unload(key) for key in self._superfluous(set(wanted))))
            self.polled = True

    async def watch(self) -> None:
        """Polls for ever."""
        while True:
            await asyncio.sleep(self._options.poll_seconds)
            try:
                await self.poll()
            except Exception as error:  # a folder that cannot be read now may be readable at the next look
                LOG.error("polling failed", extra={"reason": " ".join(str(error).split())})

    async def stop(self) -> None:
        """Unloads everything."""
        async with self._polling:
            await asyncio.gather(*(version.unload() for version in self._versions.values() if version.state != "END"))

    def find(self, model: str, version: int | None = None, label: str = "") -> ServedVersion:
        """The version that answers a request.

        Args:
            model: name of the model.
            version: its version; None for the newest that is served.
            label: of a version, instead.

        Raises:
            Refusal: there is none, or it is not loaded yet.
        """
        asked = f"Specific({model}, {version})" if version is not None else f"Latest({model})"
        if label:
            version = self._labels.get(model, {}).get(label)
            if version is None:
                raise Refusal(Code.INVALID_ARGUMENT, f"Unrecognized servable version label: {label}")
        candidates = [item for item in self._of(model) if version in (None, item.place.number)]
        # One whose process is started again is still the newest: an older one must not answer for it.
        if served := [item for item in candidates if item.answers]:
            return max(served, key=lambda item: item.place.number)
        if any(item.state in ("START", "LOADING") for item in candidates) or not self.polled:
            raise Refusal(Code.UNAVAILABLE, f"{asked} is being loaded", retry_seconds=AGAIN_SECONDS)
        raise Refusal(Code.NOT_FOUND, f"Servable not found for request: {asked}")

    def status(self, model: str, version: int | None = None, label: str = "") -> list[ServedVersion]:
        """Every version of a model that is or was served or refused, the newest first; one of them if asked so.

        Raises:
            Refusal: there is none.
        """
        if label:
            version = self._labels.get(model, {}).get(label, -1)
        found = [item for item in self._of(model) if version in (None, item.place.number)]
        if not found:
            what = f"version {version} of model {model}" if version is not None else f"any versions of model {model}"
            raise Refusal(Code.NOT_FOUND, f"Could not find {what}")
        return sorted(found, key=lambda item: -item.place.number)

    @property
    def models(self) -> list[str]:
        """Names of all models."""
        return sorted({model for model, _ in self._versions})

    @property
    def ready(self) -> bool:
        """Whether every model that was found has a version that answers."""
        found = self._versions.values()
        good = {item.place.model for item in found if item.state == "AVAILABLE"}
        return self.polled and bool(good) and all(model in good for model in self.models)

    def __iter__(self) -> Iterator[ServedVersion]:
        """All versions."""
        return iter(list(self._versions.values()))

    def _of(self, model: str) -> list[ServedVersion]:
        return [item for (name, _), item in self._versions.items() if name == model]

    def _is_new(self, key: tuple[str, int], path: Path) -> bool:
        """Whether a version was not tried yet, or was refused and written anew since."""
        item = self._versions.get(key)
        return item is None or (item.state == "END" and self._stamps.get(key) != _stamp(path))

    async def _load(self, key: tuple[str, int], path: Path) -> None:
        self._stamps[key] = _stamp(path)
        version = self._versions[key] = ServedVersion(Place(*key, path), self._options, self._observer)
        async with self._loading:
            await version.load()

    async def _unload(self, key: tuple[str, int]) -> None:
        await self._versions[key].unload()
        del self._versions[key]
        self._stamps.pop(key, None)

    def _superfluous(self, wanted: set[tuple[str, int]]) -> list[tuple[str, int]]:
        """What is loaded and not wanted; of a model whose wanted versions all failed, nothing that answers."""
        answering = {key[0] for key in wanted if self._versions[key].state == "AVAILABLE"}
        failing = {model for model, _ in wanted} - answering
        return [
            key
            for key, item in self._versions.items()
            if key not in wanted and not (key[0] in failing and item.state != "END")
        ]


def _stamp(folder: Path) -> tuple[int, int]:
    """Changes when a version is written anew."""
    try:
        status = (folder / GRAPH).stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)
