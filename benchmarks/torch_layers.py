"""PyTorch's recurrent layers."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import torch

from benchmarks import problems
from rnnapps.types import Array

__all__ = ["set_threads", "set_weights", "torch_layer"]

_LAYERS = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "simple_rnn": torch.nn.RNN}
_GATE_ORDER = {"lstm": (0, 1, 2, 3), "gru": (1, 0, 2), "simple_rnn": (0,)}  # torch's gates by Keras's numbers


class TorchSubject:
    """A layer's training step or forward pass.

    Args:
        cell: lstm, gru or simple_rnn.
        case: the shapes.
        training: as for the other frameworks: gradients of the mean square of the outputs, or outputs only.
    """

    def __init__(self, cell: str, case: problems.Case, *, training: bool) -> None:
        set_threads()
        self.layer = _LAYERS[cell](case.features, case.units, batch_first=True)
        self.inputs = torch.from_numpy(problems.inputs(case)).requires_grad_(training)
        self.training = training
        set_weights(self.layer, cell, problems.weights(cell, case))
        self.layer.train(training)

    def run(self) -> torch.Tensor:
        """Runs the step or the forward pass once and returns the outputs."""
        if not self.training:
            with torch.inference_mode():
                return self.layer(self.inputs)[0]
        self.layer.zero_grad(set_to_none=True)
        self.inputs.grad = None
        outputs = self.layer(self.inputs)[0]
        outputs.square().mean().backward()
        return outputs

    def answers(self) -> dict[str, float]:
        """The summary of outputs and gradients."""
        outputs = self.run().detach().numpy()
        sources = (self.inputs, self.layer.weight_ih_l0, self.layer.weight_hh_l0) if self.training else ()
        return problems.summary(outputs, [source.grad.numpy() for source in sources if source.grad is not None])


def set_weights(layer: torch.nn.Module, cell: str, weights: Sequence[Array]) -> None:
    """Gives a one-layer recurrent module the weights (kernel, recurrent kernel, bias) of a Keras layer."""
    kernel, recurrent_kernel, bias = weights
    biases = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
    values = {
        "weight_ih_l0": kernel,
        "weight_hh_l0": recurrent_kernel,
        "bias_ih_l0": biases[0],
        "bias_hh_l0": biases[1],
    }
    with torch.no_grad():
        for name, value in values.items():
            gates = np.split(value, len(_GATE_ORDER[cell]), axis=-1)
            ordered = np.concatenate([gates[gate] for gate in _GATE_ORDER[cell]], axis=-1)
            getattr(layer, name).copy_(torch.from_numpy(np.ascontiguousarray(ordered.T)))


def torch_layer(*, cell: str, case: str, training: bool) -> TorchSubject:
    """`torch.nn`'s layer of that name; `case` is the shapes as text."""
    return TorchSubject(cell, problems.Case.parse(case), training=training)


def set_threads() -> None:
    """Gives PyTorch the number of threads that the worker was told."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", len(os.sched_getaffinity(0)))))
