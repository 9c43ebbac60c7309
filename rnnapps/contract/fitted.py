"""What belongs together once a task's preprocessor is fitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    import keras

    from rnnapps.config import ExportConfig, TrainingConfig

__all__ = ["Configuration", "Fitted", "Preprocessor"]


class Configuration(Protocol):
    """The settings every pipeline has: a frozen dataclass whose fields are groups of settings, and the seed.

    A pipeline may have further groups, such as how results are searched for.
    """

    @property
    def data(self) -> Any:
        """Where the examples come from: a dataclass with a field `source`."""

    @property
    def model(self) -> Any:
        """The network: a dataclass."""

    @property
    def training(self) -> TrainingConfig:
        """How it is trained."""

    @property
    def export(self) -> ExportConfig:
        """What an export contains."""

    @property
    def seed(self) -> int:
        """The number that decides everything random."""


class Preprocessor(Protocol):
    """What turns raw examples into tensors: a vocabulary, scales... learned from the training examples alone."""

    def save(self, folder: Path) -> None:
        """Writes it into an existing folder, for `Pipeline.load_preprocessor`."""


ConfigT = TypeVar("ConfigT", bound=Configuration)
PreprocessorT = TypeVar("PreprocessorT", bound=Preprocessor)
MadeT = TypeVar("MadeT")


@dataclass(frozen=True)
class Fitted(Generic[ConfigT, PreprocessorT]):
    """A configuration with the preprocessor and the network that were made by it.

    Attributes:
        config: the settings.
        preprocessor: as fitted or loaded.
        network: the functional network, dict in and dict out; its weights are whatever they are at the moment.
    """

    config: ConfigT
    preprocessor: PreprocessorT
    network: keras.Model
    _made: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def once(self, name: str, make: Callable[[], MadeT]) -> MadeT:
        """What was made of this model under a name: made the first time, and kept as long as the model.

        For functions that TensorFlow compiles, which takes seconds: who predicts again and again does so once.
        """
        if name not in self._made:
            self._made[name] = make()
        made: MadeT = self._made[name]
        return made
