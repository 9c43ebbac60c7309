"""Clients of models that are served, over REST or gRPC, by TensorFlow Serving or by `rnnapps serve`.

It loads neither TensorFlow nor Keras.

    from rnnapps.client import Client
    client = Client("http://127.0.0.1:8501", "stories")
    client.predict({"prompt": ["The "], "steps": 80})["text"][0]
"""

from __future__ import annotations

from rnnapps.client.client import Client
from rnnapps.client.options import ClientOptions
from rnnapps.client.stream import Stream
from rnnapps.errors import RowsRefused, ServingError

__all__ = ["Client", "ClientOptions", "RowsRefused", "ServingError", "Stream"]
