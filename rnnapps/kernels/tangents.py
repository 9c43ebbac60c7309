"""What forward mode follows: it differentiates operations, and asks no custom gradient."""

from __future__ import annotations

import tensorflow as tf
from tensorflow.python.eager import forwardprop_util, record  # the only places that know what is differentiated

from rnnapps.types import Nest

__all__ = ["differentiated_again", "has_tangent"]


def has_tangent(tensors: Nest) -> bool:
    """Whether a `tf.autodiff.ForwardAccumulator` follows any of the tensors, in the same graph or outside of any."""
    return _followers(tensors) > 0


def differentiated_again(tensors: Nest) -> bool:
    """Whether what follows a tensor or variable forward is itself followed, by another, or by a tape outside of graphs.

    A function called outside of graphs is one operation to its followers, and none of them looks into its derivative:
    the gradient of a tangent is None, the tangent of a tangent an error.
    """
    followers = _followers(tensors)
    return followers > 1 or (followers == 1 and tf.executing_eagerly() and record.could_possibly_record())


def _followers(tensors: Nest) -> int:
    """How many accumulators follow any of the tensors or variables."""
    # A variable is followed by its handle.
    known = [getattr(tensor, "handle", tensor) for tensor in tf.nest.flatten(tensors) if tensor is not None]
    return sum(bool(places) for places in forwardprop_util.pack_tangents(known).indices)
