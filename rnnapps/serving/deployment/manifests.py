"""What runs the server: docker compose, Kubernetes, KServe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from rnnapps.serving.deployment.served_models import DeployedModel
from rnnapps.serving.deployment.server_files import BATCHING_FILE, CONFIG_FILE, server_arguments

__all__ = ["NAME", "compose_text", "kserve_text", "kubernetes_text"]

NAME = "rnnapps-models"
"""What Kubernetes calls the deployment, its service, and its configuration."""

_CONFIG, _MODELS = "/config", "/models"
_LABELS = {"app.kubernetes.io/name": NAME}
_RESOURCES = {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "2Gi"}}
_USER = 65534


def compose_text(models: Sequence[DeployedModel], image: str) -> str:
    """A compose file: the models and the configuration read-only, the ports on this machine alone."""
    mounts = [_bind(str(model.base), f"{_MODELS}/{model.name}") for model in models]
    mounts += [_bind(f"./{name}", f"{_CONFIG}/{name}") for name in (CONFIG_FILE, BATCHING_FILE)]
    service = {
        "image": image,
        "entrypoint": ["tensorflow_model_server"],
        "command": server_arguments(_CONFIG),
        "user": f"{_USER}:{_USER}",
        "ports": ["127.0.0.1:8500:8500", "127.0.0.1:8501:8501"],
        "volumes": mounts,
        "read_only": True,
        "tmpfs": ["/tmp"],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "restart": "unless-stopped",
    }
    return _dumped({"services": {"models": service}})


def kubernetes_text(models: Sequence[DeployedModel], image: str, *, claim: str, files: dict[str, str]) -> str:
    """ConfigMap, Deployment and Service.

    Args:
        models: what is served.
        image: of TensorFlow Serving.
        claim: name of the PersistentVolumeClaim that holds `NAME/VERSION` of every model.
        files: name -> content of what the server reads.
    """
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _metadata(), "data": files}
    ports = [{"name": name, "port": port, "targetPort": name} for name, port in (("grpc", 8500), ("rest", 8501))]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(),
        "spec": {"selector": _LABELS, "ports": ports},
    }
    template = {"metadata": {"labels": _LABELS}, "spec": _pod(models, image, claim)}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(),
        "spec": {"replicas": 2, "selector": {"matchLabels": _LABELS}, "template": template},
    }
    return _dumped(config, deployment, service)


def kserve_text(models: Sequence[DeployedModel], *, claim: str) -> str:
    """An InferenceService of each model; KServe's runtime serves the newest version that its folder holds."""
    return _dumped(
        *(
            {
                "apiVersion": "serving.kserve.io/v1beta1",
                "kind": "InferenceService",
                "metadata": {"name": model.kubernetes_name},
                "spec": {
                    "predictor": {
                        "model": {
                            "modelFormat": {"name": "tensorflow"},
                            "storageUri": f"pvc://{claim}/{model.name}",
                            "resources": _RESOURCES,
                        }
                    }
                },
            }
            for model in models
        )
    )


def _pod(models: Sequence[DeployedModel], image: str, claim: str) -> dict[str, Any]:
    first = f"/v1/models/{models[0].name}/labels/stable/metadata"  # told once that version is loaded
    container = {
        "name": "server",
        "image": image,
        "command": ["tensorflow_model_server"],
        "args": server_arguments(_CONFIG),
        "ports": [{"name": "grpc", "containerPort": 8500}, {"name": "rest", "containerPort": 8501}],
        # The ports open when every model is loaded.
        "startupProbe": {"tcpSocket": {"port": "grpc"}, "periodSeconds": 5, "failureThreshold": 60},
        "readinessProbe": {"httpGet": {"path": first, "port": "rest"}, "periodSeconds": 5},
        "livenessProbe": {"tcpSocket": {"port": "grpc"}, "periodSeconds": 20, "failureThreshold": 3},
        "resources": _RESOURCES,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "models", "mountPath": _MODELS, "readOnly": True},
            {"name": "config", "mountPath": _CONFIG, "readOnly": True},
            {"name": "temporary", "mountPath": "/tmp"},
        ],
    }
    return {
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [
            {"name": "models", "persistentVolumeClaim": {"claimName": claim, "readOnly": True}},
            {"name": "config", "configMap": {"name": NAME}},
            {"name": "temporary", "emptyDir": {}},
        ],
    }


def _metadata() -> dict[str, Any]:
    return {"name": NAME, "labels": _LABELS}


def _bind(source: str, target: str) -> dict[str, Any]:
    """A read-only mount; compose would read a single dollar sign as the beginning of a variable."""
    return {"type": "bind", "source": source.replace("$", "$$"), "target": target, "read_only": True}


class _Plain(yaml.SafeDumper):
    """Writes what stands in two places twice, without YAML's anchors, and long texts as blocks of lines."""

    def ignore_aliases(self, data: object) -> bool:
        """Always."""
        return True


def _text_node(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if text.count("\n") > 1 else None)


_Plain.add_representer(str, _text_node)


def _dumped(*documents: dict[str, Any]) -> str:
    return str(yaml.dump_all(documents, Dumper=_Plain, sort_keys=False, width=120, allow_unicode=True))
