"""Export: one folder that TensorFlow Serving serves and fine-tuning starts from.

`BASE/<version>/` holds the SavedModel, `batching_params.pbtxt` and `assets.extra/`: config.yaml, weights.npz,
preprocessing/, model_card.md, tf_serving_warmup_requests, expected/ (requests and answers for verification) and
manifest.json. It is built in a hidden folder beside `BASE`, verified there, and moved into place.
"""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import tensorflow as tf

from rnnapps.atomic import working_folder
from rnnapps.contract.endpoint import Endpoint
from rnnapps.contract.served import Signatures
from rnnapps.errors import ExportError
from rnnapps.export.allowed import pure
from rnnapps.export.artefact import CONFIG, PREPROCESSING, save_weights
from rnnapps.export.batching_settings import BATCHING
from rnnapps.export.destination import check_destination
from rnnapps.export.graph_files import forget_chance, forget_gradients
from rnnapps.export.manifest import EXTRA, Manifest, package_versions, write_manifest
from rnnapps.export.provenance import read_private_key, sign_manifest
from rnnapps.export.row_by_row import row_by_row
from rnnapps.export.signature_file import SIGNATURES, signatures_text
from rnnapps.export.signatures import answer, describe, served, trace
from rnnapps.export.stored_examples import save_example
from rnnapps.export.verify import verify
from rnnapps.export.versions import publish
from rnnapps.export.warmup import WARMUP_FILE, warmup_requests, write_requests
from rnnapps.reports.model_card import ModelCard, render_model_card
from rnnapps.types import Tensor

if TYPE_CHECKING:
    import keras
    from tensorflow.types.experimental import ConcreteFunction

__all__ = ["export"]

_DEFAULT, _KERAS_NAME = "serving_default", "serve"
"""The signature that Keras calls where none is named, and the name that it looks for."""

_EPOCH = "SOURCE_DATE_EPOCH"
"""Variable with the moment that builds say they were made at which are to be the same again."""

# Read by `tensorflow_model_server --enable_batching --batching_parameters_file=...`.
_BATCHING = """\
max_batch_size { value: 32 }
batch_timeout_micros { value: 2000 }
max_enqueued_batches { value: 1000 }
num_batch_threads { value: 4 }
pad_variable_length_inputs: true
"""


class _Preprocessor(Protocol):
    """What an export needs of a preprocessor."""

    def save(self, folder: Path, /) -> None:
        """Writes what fine-tuning reads."""


@dataclass(frozen=True)
class _Contents:
    """What a version is made of; fields as the arguments of `export`, `name` that of the model."""

    endpoints: Mapping[str, Endpoint]
    network: keras.Model
    preprocessor: _Preprocessor | None
    name: str
    config_yaml: str
    model_card: ModelCard
    pipeline: str
    warmup: int
    trackables: Sequence[object]
    more: Callable[[Path], None] | None


def export(
    endpoints: Mapping[str, Endpoint],
    network: keras.Model,
    preprocessor: _Preprocessor | None,
    folder: Path | str,
    *,
    config_yaml: str,
    model_card: ModelCard,
    pipeline: str = "",
    warmup: int = 4,
    trackables: Sequence[object] = (),
    tolerance: float = 1e-5,
    key: Path | str | None = None,
    more: Callable[[Path], None] | None = None,
) -> Path:
    """Exports a model as the next version of `folder`; it appears there only after it passed verification.

    Args:
        endpoints: signature name -> endpoint, `serving_default` among them.
        network: the trained network; its variables are saved.
        preprocessor: has `save(folder)`; tables and variables in its attributes are saved with the graph. May be None.
        folder: the folder of versions, `saved_models/<model>`.
        config_yaml: configuration that built the network, as YAML text.
        model_card: what is known of the model.
        pipeline: name of the pipeline, by which clients know what kind of model it is.
        warmup: number of warm-up requests, 0 to 1000.
        trackables: further tables and variables the endpoints use.
        tolerance: see `verify`.
        key: the private key that signs the manifest; None to leave it unsigned.
        more: writes further files into the folder `assets.extra`, which the manifest then lists too.

    Returns:
        The new version folder.

    Raises:
        ExportError: an endpoint cannot be served, verification failed, the folder cannot be written, or the key cannot
            be read.
    """
    base = Path(folder).absolute()
    check_destination(base)
    signing_key = None if key is None else read_private_key(key)
    careful = {name: row_by_row(name, endpoint) for name, endpoint in endpoints.items()}
    told = (base.name, config_yaml, model_card, pipeline)
    contents = _Contents(careful, network, preprocessor, *told, warmup, trackables, more)
    try:
        with working_folder(base.parent, f".{base.name}.exporting-") as scratch:
            version = scratch / "version"
            _build(version, contents)
            # Its author has run this graph already: what only computes may be in it, though none of ours has it.
            # In this order: a server that polls `base` must never see a version that was not verified.
            verify(version, tolerance=tolerance, allow=pure()).require()
            if signing_key is not None:
                sign_manifest(version, signing_key)
            return publish(version, base)
    except OSError as error:
        raise ExportError(
            f"{base}: cannot be written ({error.strerror or error}); free space or permissions"
        ) from error


def _build(version: Path, contents: _Contents) -> None:
    """Writes all files of a version."""
    endpoints = contents.endpoints
    if _DEFAULT not in endpoints:
        raise ExportError(f"endpoints {sorted(endpoints)} found, {_DEFAULT!r} among them expected")
    # Keras answers first: an endpoint that fails on its own examples is told so before the slow tracing.
    examples = {name: answer(name, endpoint) for name, endpoint in endpoints.items()}
    concrete = {name: trace(name, endpoint) for name, endpoint in endpoints.items()}
    described = {name: describe(endpoint, concrete[name]) for name, endpoint in endpoints.items()}
    known = {name: served(name, endpoint, described[name]) for name, endpoint in endpoints.items()}
    requests = warmup_requests({name: example.inputs for name, example in examples.items()}, contents.warmup)
    _save_graph(version, concrete, _tracked(contents))
    (version / BATCHING).write_text(_BATCHING, encoding="utf-8")
    extra = version / EXTRA
    (extra / PREPROCESSING).mkdir(parents=True)
    if contents.preprocessor is not None:
        contents.preprocessor.save(extra / PREPROCESSING)
    (extra / CONFIG).write_text(contents.config_yaml, encoding="utf-8")
    write_requests(extra / WARMUP_FILE, requests, model_name=contents.name)
    for example in examples.values():
        save_example(version, example)
    signatures = Signatures(contents.name, contents.pipeline, known)
    (version / SIGNATURES).write_text(signatures_text(signatures), encoding="utf-8")
    card = render_model_card(contents.model_card, signatures=known, versions=package_versions())
    (extra / "model_card.md").write_text(card, encoding="utf-8")
    weights = save_weights(extra, contents.network)
    if contents.more is not None:
        contents.more(extra)
    # Last: the manifest lists all other files with their checksums.
    write_manifest(version, Manifest(contents.name, _now(), described, weights))


def _now() -> str:
    """The moment in UTC; that of `SOURCE_DATE_EPOCH` where it is set, so that the same export has the same bytes."""
    given = os.environ.get(_EPOCH, "")
    moment = float(given) if given.isdecimal() else time.time()
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).isoformat(timespec="seconds")


def _tracked(contents: _Contents) -> list[object]:
    """Everything the graph may refer to: variables, and tables of the preprocessor and of endpoints.

    A signature that reads a table or variable which the saved module does not own cannot be restored.
    """
    trackable = tf.__internal__.tracking.Trackable
    attributes = getattr(contents.preprocessor, "__dict__", {}).values()
    owned = [value for value in attributes if isinstance(value, trackable)]
    named = [resource for endpoint in contents.endpoints.values() for resource in endpoint.trackables]
    return [*(variable.value for variable in contents.network.variables), *owned, *named, *contents.trackables]


def _save_graph(version: Path, concrete: Mapping[str, ConcreteFunction], tracked: Sequence[object]) -> None:
    """Writes the SavedModel of the traced signatures, which may refer to what is tracked."""
    module = tf.Module()
    module.tracked = list(tracked)
    for name, function in concrete.items():
        setattr(module, name, _of_one_argument(function))
    setattr(module, _KERAS_NAME, getattr(module, _DEFAULT))
    # Gradients of custom functions serve nobody here, and tracing them would pull training code into the graph.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    try:
        tf.saved_model.save(module, str(version), signatures=dict(concrete), options=options)
        forget_gradients(version)
        if _EPOCH in os.environ:
            forget_chance(version)
    except (AssertionError, KeyError) as error:
        text = str(error).strip().splitlines()[0][:300]
        raise ExportError(
            f"a signature uses a table or variable that is not saved ({text}); pass it as trackable"
        ) from error
    except tf.errors.OpError as error:
        raise ExportError(f"{version.parent.parent}: the SavedModel cannot be written ({error.message})") from error


def _of_one_argument(concrete: ConcreteFunction) -> Callable[[dict[str, Tensor]], dict[str, Tensor]]:
    """A signature as Keras calls it: with one argument, a dict of its inputs."""
    specs = concrete.structured_input_signature[1]

    @tf.function(input_signature=[specs], autograph=False)
    def call(inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        outputs: dict[str, Tensor] = concrete(**inputs)
        return outputs

    called: Callable[[dict[str, Tensor]], dict[str, Tensor]] = call
    return called
