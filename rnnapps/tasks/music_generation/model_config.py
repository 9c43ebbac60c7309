"""What a music model is made of. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass

from rnnapps.config import TokenModelConfig, require
from rnnapps.ranges import searched

__all__ = ["MusicModelConfig"]


@dataclass(frozen=True)
class MusicModelConfig(TokenModelConfig):
    """A recurrent network that continues pieces.

    Attributes:
        units: size of the state of each layer.
        key_units: frames only: size of the hidden layer through which each key of a frame depends on those below it;
            0 makes the keys independent of each other, given the frames before.
        echo_steps: frames only: how many steps a model looks back for a passage like the last steps, whose continuation
            it then expects; how much is fitted to the validation pieces. 0 leaves the network alone.

    Raises:
        ConfigError: a value is out of range.
    """

    units: int = 192
    dropout: float = 0.3
    key_units: int = searched(192, 8, 2048, logarithmic=True, factor=2)
    echo_steps: int = 512

    def __post_init__(self) -> None:
        """Checks the values."""
        super().__post_init__()
        require("model.key_units", self.key_units, "at least 0", self.key_units >= 0)
        require("model.echo_steps", self.echo_steps, "from 0 to 4,096", 0 <= self.echo_steps <= 4096)
