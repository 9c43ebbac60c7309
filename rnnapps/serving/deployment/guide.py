"""The README of a deployment: its commands, and how a version is tried, taken and taken back."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from rnnapps.serving.deployment.manifests import NAME
from rnnapps.serving.deployment.served_models import DeployedModel

__all__ = ["guide_text"]


def guide_text(models: Sequence[DeployedModel], *, root: Path, folder: Path, claim: str) -> str:
    """The page, in Markdown.

    Args:
        models: what is served.
        root: the folder that was given to `rnnapps deploy`.
        folder: where the files are.
        claim: the PersistentVolumeClaim of Kubernetes.
    """
    rows = [f"| `{model.name}` | {model.stable} | {'' if model.canary is None else model.canary} |" for model in models]
    first = models[0]
    again = f"rnnapps deploy {shlex.quote(str(root))} --to {shlex.quote(str(folder))}"
    copies = [f"kubectl cp {shlex.quote(str(model.base))} copy:/models/{model.name}" for model in models]
    here = shlex.quote(str(folder))
    return f"""# Deployment of {", ".join(model.name for model in models)}

Written by `{again}`. The same command writes it anew.

| model | stable | canary |
|---|---|---|
{chr(10).join(rows)}

## Docker

```sh
cd {here}
docker compose config --quiet
docker compose up --detach
curl http://127.0.0.1:8501/v1/models/{first.name}
curl http://127.0.0.1:8501/v1/models/{first.name}/labels/stable/metadata
docker compose down
```

REST listens on 127.0.0.1:8501 and gRPC on 127.0.0.1:8500. The server has no password and no TLS: put a proxy that has
them before it, not its ports into a network.

## Kubernetes

The claim `{claim}` must exist; a pod `copy` that mounts it at `/models` takes the exports:

```sh
{chr(10).join(copies)}
kubectl apply --filename {here}/kubernetes.yaml
kubectl rollout status deployment/{NAME}
kubectl port-forward service/{NAME} 8501:8501
```

Processor and memory in the file are a start: measure yours.

## KServe

```sh
kubectl apply --filename {here}/kserve.yaml
kubectl get inferenceservice {first.kubernetes_name}
```

KServe serves the newest version in a model's folder, and knows no labels: its canary is another `storageUri` with
`canaryTrafficPercent`.

## A new version: canary, then stable, or back

Requests name a label, and so need no change when its version does:
`http://127.0.0.1:8501/v1/models/{first.name}/labels/stable:predict`, and `/labels/canary:predict` for those that try
the new one.

1. Export the new version beside the others, and write the files anew: the newest version is the canary, the one before
   it stable.
2. Send a part of the requests to `canary`, and compare.
3. Take it: `{again} --pin {first.name}={first.canary or first.stable}`
4. Or take it back: `{again} --pin {first.name}={first.stable}`

The server reads `models.config` again every 30 s, without a restart. A label moves only to a version that is loaded:
decide on a canary before there is the next, and to go back to a version that is no longer served, serve it as canary
first (`--pin {first.name}=NOW,BEFORE`), and as stable half a minute later (`--pin {first.name}=BEFORE`). With Docker
nothing else is to do, since the mounted files are rewritten in place; in Kubernetes, apply `kubernetes.yaml` again: the
files reach the pods after a minute or so.
"""
