"""The GRU of maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import keras

from rnnapps.cells.maps import MapCell
from rnnapps.types import Tensor

__all__ = ["ConvGRU"]


@keras.saving.register_keras_serializable(package="rnnapps")
class ConvGRU(MapCell):
    """Convolutional GRU, Ballas et al. 2015 (arXiv:1511.06432), its reset gate behind the convolution as in our `GRU`.

        z, r = split(sigmoid(x_t * W_zr + h_{t-1} * U_zr + b_zr))         * a convolution
        g    = tanh(x_t * W_g + b_g + r (h_{t-1} * U_g))
        h_t  = z h_{t-1} + (1 - z) g

    States: h, a flat map `(batch, places * filters)`.

    The arguments are those of `MapCell`.
    """

    blocks: ClassVar[int] = 3

    def gates(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> dict[str, Tensor]:
        """The activations of the gates and of the candidate, each a flat map."""
        gates, size = keras.ops.sigmoid((projected + recurrent)[..., : 2 * self.filters]), 2 * self.filters
        z, r = keras.ops.split(gates, 2, axis=-1)
        candidate = keras.ops.tanh(projected[..., size:] + r * recurrent[..., size:])
        return {"update": self.flat(z), "reset": self.flat(r), "candidate": self.flat(candidate)}

    def update(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Returns the new state (h,)."""
        gates = self.gates(projected, recurrent, states)
        return (gates["candidate"] + gates["update"] * (states[0] - gates["candidate"]),)
