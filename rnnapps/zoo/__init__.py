"""Trained models that need no training: a data package of small exports, found and unpacked by name."""

from __future__ import annotations

from rnnapps.zoo.archives import all_unpacked, unpack_into, unpacked
from rnnapps.zoo.data_package import ZooModel, catalogue
from rnnapps.zoo.names import PREFIX, resolved

__all__ = ["PREFIX", "ZooModel", "all_unpacked", "catalogue", "resolved", "unpack_into", "unpacked"]
