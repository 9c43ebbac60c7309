"""Export: one folder that TensorFlow Serving serves and fine-tuning starts from.

`BASE/<version>/` holds the SavedModel, `batching_params.pbtxt` and `assets.extra/`: config.yaml, weights.npz,
preprocessing/, model_card.md, tf_serving_warmup_requests, expected/ (requests and answers for verification) and
manifest.json. It is built in a hidden folder beside `BASE`, verified there, and moved into place.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint
from rnnapps.errors import ExportError
from rnnapps.export.artefact import CONFIG, PREPROCESSING, save_weights
from rnnapps.export.manifest import EXTRA, Manifest, package_versions, write_manifest
from rnnapps.export.signatures import answer, describe, trace
from rnnapps.export.verify import save_example, verify
from rnnapps.export.versions import publish
from rnnapps.export.warmup import WARMUP_FILE, warmup_requests, write_requests
from rnnapps.export.workplace import check_destination, workplace
from rnnapps.reports.model_card import ModelCard, render_model_card

if TYPE_CHECKING:
    import keras

__all__ = ["export"]

# Read by `tensorflow_model_server --enable_batching --batching_parameters_file=...`.
_BATCHING = """\
max_batch_size { value: 32 }
batch_timeout_micros { value: 2000 }
max_enqueued_batches { value: 1000 }
num_batch_threads { value: 4 }
pad_variable_length_inputs: true
"""


def export(
    endpoints: Mapping[str, Endpoint],
    network: keras.Model,
    preprocessor: Any,
    folder: Path | str,
    *,
    config_yaml: str,
    model_card: ModelCard,
    warmup: int = 4,
    trackables: Sequence[Any] = (),
    tolerance: float = 1e-5,
) -> Path:
    """Exports a model as the next version of `folder`; it appears there only after it passed verification.

    Args:
        endpoints: signature name -> endpoint, `serving_default` among them.
        network: the trained network; its variables are saved.
        preprocessor: has `save(folder)`; tables and variables in its attributes are saved with the graph. May be None.
        folder: the folder of versions, `saved_models/<model>`.
        config_yaml: configuration that built the network, as YAML text.
        model_card: what is known of the model.
        warmup: number of warm-up requests, 0 to 1000.
        trackables: further tables and variables the endpoints use.
        tolerance: see `verify`.

    Returns:
        The new version folder.

    Raises:
        ExportError: an endpoint cannot be served, verification failed, or the folder cannot be written.
    """
    base = Path(folder).absolute()
    check_destination(base)
    try:
        with workplace(base) as place:
            # A folder inside, because a temporary one is closed to other users, the server's for one.
            version = place / "version"
            _build(version, endpoints, network, preprocessor, config_yaml, model_card, warmup, trackables, base.name)
            verify(version, tolerance=tolerance).require()
            return publish(version, base)
    except OSError as error:
        raise ExportError(
            f"{base}: cannot be written ({error.strerror or error}); free space or permissions"
        ) from error


def _build(
    version: Path,
    endpoints: Mapping[str, Endpoint],
    network: keras.Model,
    preprocessor: Any,
    config_yaml: str,
    model_card: ModelCard,
    warmup: int,
    trackables: Sequence[Any],
    model_name: str,
) -> None:
    """Writes all files of a version."""
    if not endpoints:
        raise ExportError("there is no endpoint to export; expected at least 'serving_default'")
    examples = {name: answer(name, endpoint) for name, endpoint in endpoints.items()}
    concrete = {name: trace(name, endpoint) for name, endpoint in endpoints.items()}
    described = {name: describe(endpoint, concrete[name]) for name, endpoint in endpoints.items()}
    requests = warmup_requests({name: example.inputs for name, example in examples.items()}, warmup)

    used = [each for endpoint in endpoints.values() for each in endpoint.trackables]
    _save_graph(version, concrete, _tracked(network, preprocessor, [*used, *trackables]))
    (version / "batching_params.pbtxt").write_text(_BATCHING, encoding="utf-8")
    extra = version / EXTRA
    (extra / PREPROCESSING).mkdir(parents=True)
    if preprocessor is not None:
        preprocessor.save(extra / PREPROCESSING)
    (extra / CONFIG).write_text(config_yaml, encoding="utf-8")
    write_requests(extra / WARMUP_FILE, requests, model_name=model_name)
    for example in examples.values():
        save_example(version, example)
    card = render_model_card(model_card, signatures=described, versions=package_versions())
    (extra / "model_card.md").write_text(card, encoding="utf-8")
    created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    write_manifest(version, Manifest(model_name, created, described, save_weights(extra, network)))


def _tracked(network: keras.Model, preprocessor: Any, trackables: Sequence[Any]) -> list[Any]:
    """Everything the graph may refer to: variables, and the tables in the preprocessor's attributes."""
    trackable = tf.__internal__.tracking.Trackable
    owned = [value for value in getattr(preprocessor, "__dict__", {}).values() if isinstance(value, trackable)]
    return [*(variable.value for variable in network.variables), *owned, *trackables]


def _save_graph(version: Path, concrete: Mapping[str, Any], tracked: Sequence[Any]) -> None:
    module = tf.Module()
    module.tracked = list(tracked)
    # Gradients of custom functions serve nobody here, and tracing them would pull training code into the graph.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    try:
        tf.saved_model.save(module, str(version), signatures=dict(concrete), options=options)
    except (AssertionError, KeyError) as error:
        text = str(error).strip().splitlines()[0][:300]
        raise ExportError(
            f"a signature uses a table or variable that is not saved ({text}); pass it as trackable"
        ) from error
    except tf.errors.OpError as error:
        raise ExportError(f"{version.parent.parent}: the SavedModel cannot be written ({error.message})") from error
