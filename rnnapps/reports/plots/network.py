"""The inside of a recurrent network: gradients through time and gate activations."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rnnapps.reports.plots.curves import Curve, plot_curves
from rnnapps.reports.plots.plot import Plot

if TYPE_CHECKING:
    from rnnapps.training.diagnostics import GradientThroughTime
    from rnnapps.training.gates import GateActivations

__all__ = ["plot_gates", "plot_gradients"]


def plot_gradients(gradients: Sequence[GradientThroughTime]) -> tuple[Plot, ...]:
    """Gradient norms of each layer's output over the time steps, logarithmic: of the loss, and of the last output."""
    titles = {
        "loss": "Gradient of the loss, ‖∂L/∂hₜ‖",
        "last output": "Gradient of the last output, ‖∂h_last/∂hₜ‖",
    }
    names = _short_names([gradient.layer for gradient in gradients])
    return tuple(
        plot_curves(
            [
                Curve(names[gradient.layer], range(1, len(gradient.norms) + 1), gradient.norms)
                for gradient in gradients
                if gradient.of == of and gradient.state == 0
            ],
            x_label="time step t",
            y_label="gradient norm",
            title=title,
            logarithmic=True,
        )
        for of, title in titles.items()
    )


def plot_gates(gates: Sequence[GateActivations]) -> tuple[Plot, ...]:
    """Two plots a layer: the distribution of each gate, and its mean over the time steps."""
    plots: list[Plot] = []
    names = _short_names([gate.layer for gate in gates])
    for layer, group in itertools.groupby(gates, key=lambda gate: gate.layer):
        of_layer = list(group)
        plots.append(
            plot_curves(
                [_distribution(gate) for gate in of_layer],
                x_label="activation",
                y_label="share of values",
                title=f"{names[layer]}: gate activations",
                integer_x=False,
            )
        )
        means = [Curve(gate.gate, range(1, len(gate.mean_over_time) + 1), gate.mean_over_time) for gate in of_layer]
        plots.append(
            plot_curves(means, x_label="time step t", y_label="mean activation", title=f"{names[layer]}: over time")
        )
    return tuple(plots)


def _short_names(paths: Sequence[str]) -> dict[str, str]:
    """Path of a layer -> the path without the folder all of them share."""
    folders = {path.rpartition("/")[0] for path in paths}
    return {path: path.rpartition("/")[2] if len(folders) == 1 else path for path in paths}


def _distribution(gate: GateActivations) -> Curve:
    """The histogram of a gate as a curve of shares."""
    total = max(1, sum(gate.histogram))
    middles = [(left + right) / 2 for left, right in itertools.pairwise(gate.edges)]
    return Curve(gate.gate, middles, [count / total for count in gate.histogram])
