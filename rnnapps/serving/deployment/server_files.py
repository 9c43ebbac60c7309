"""What TensorFlow Serving itself reads: models, versions and labels; batching; and the words of its command."""

from __future__ import annotations

from collections.abc import Sequence

from rnnapps.serving.deployment.served_models import DeployedModel

__all__ = ["BATCHING_FILE", "CONFIG_FILE", "batching_text", "models_text", "server_arguments"]

CONFIG_FILE, BATCHING_FILE = "models.config", "batching.pbtxt"
_POLL_SECONDS = 30


def models_text(models: Sequence[DeployedModel]) -> str:
    """ModelServerConfig: each model's versions and labels. Names were checked: none needs an escape."""
    return "model_config_list {\n" + "".join(map(_entry, models)) + "}\n"


def batching_text(models: Sequence[DeployedModel]) -> str:
    """BatchingParameters of all models together.

    Sizes and waiting stand in each version's own `batching_params.pbtxt`, which the server reads as well; those here
    are for versions that say nothing. The threads are shared, and only this file can say how many there are.
    """
    settings = [model.batching for model in models]
    lines = [
        ("max_batch_size", max(setting.max_batch_size for setting in settings)),
        ("batch_timeout_micros", max(setting.batch_timeout_micros for setting in settings)),
        ("max_enqueued_batches", max(setting.max_enqueued_batches for setting in settings)),
        ("num_batch_threads", sum(setting.num_batch_threads for setting in settings)),
    ]
    return "".join(f"{name} {{ value: {value} }}\n" for name, value in lines) + "pad_variable_length_inputs: true\n"


def server_arguments(config: str) -> list[str]:
    """The words behind `tensorflow_model_server`.

    Args:
        config: the folder of both files, as the server sees it.
    """
    return [
        "--port=8500",
        "--rest_api_port=8501",
        f"--model_config_file={config}/{CONFIG_FILE}",
        f"--model_config_file_poll_wait_seconds={_POLL_SECONDS}",
        "--allow_version_labels_for_unavailable_models=true",  # labels are given before anything is loaded
        "--enable_batching=true",
        f"--batching_parameters_file={config}/{BATCHING_FILE}",
        "--enable_per_model_batching_parameters=true",
    ]


def _entry(model: DeployedModel) -> str:
    versions = "".join(f"      versions: {number}\n" for number in sorted(set(model.labels.values())))
    labels = "".join(
        f'    version_labels {{ key: "{label}" value: {number} }}\n' for label, number in model.labels.items()
    )
    return (
        f'  config {{\n    name: "{model.name}"\n    base_path: "/models/{model.name}"\n'
        '    model_platform: "tensorflow"\n    model_version_policy {\n      specific {\n'
        + versions.replace("      ", "        ")
        + f"      }}\n    }}\n{labels}  }}\n"
    )
