"""The README of a deployment: its commands, and how a version is tried, taken and taken back."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from rnnapps.serving.deployment.manifests import NAME
from rnnapps.serving.deployment.served_models import DeployedModel

__all__ = ["guide_text"]


_PAGE = """# Deployment of {names}

Written by `{again}`. The same command writes it anew.

| model | stable | canary |
|---|---|---|
{rows}

## Docker

```sh
cd {here}
docker compose config --quiet
docker compose up --detach
curl http://127.0.0.1:8501/v1/models/{first}
curl http://127.0.0.1:8501/v1/models/{first}/labels/stable/metadata
docker compose down
```

REST listens on 127.0.0.1:8501 and gRPC on 127.0.0.1:8500. The server has no password and no TLS: put a proxy that has
them before it, not its ports into a network.

## Kubernetes

The claim `{claim}` must exist; a pod `copy` that mounts it at `/models` takes the exports:

```sh
{copies}
kubectl apply --filename {here}/kubernetes.yaml
kubectl rollout status deployment/{deployment}
kubectl port-forward service/{deployment} 8501:8501
```

Processor and memory in the file are a start: measure yours.

## KServe

```sh
kubectl apply --filename {here}/kserve.yaml
kubectl get inferenceservice {service}
```

KServe serves the newest version in a model's folder, and knows no labels: its canary is another `storageUri` with
`canaryTrafficPercent`.

## A new version: canary, then stable, or back

Requests name a label, and so need no change when its version does:
`http://127.0.0.1:8501/v1/models/{first}/labels/stable:predict`, and `/labels/canary:predict` for those that try
the new one.

1. Export the new version beside the others, and write the files anew: the newest version is the canary, the one before
   it stable.
2. Send a part of the requests to `canary`, and compare.
3. Take it: `{again} --pin {first}={newest}`
4. Or take it back: `{again} --pin {first}={stable}`

The server reads `models.config` again every 30 s, without a restart. A label moves only to a version that is loaded:
decide on a canary before there is the next, and to go back to a version that is no longer served, serve it as canary
first (`--pin {first}=NOW,BEFORE`), and as stable half a minute later (`--pin {first}=BEFORE`). With Docker
nothing else is to do, since the mounted files are rewritten in place; in Kubernetes, apply `kubernetes.yaml` again: the
files reach the pods after a minute or so.
"""


def guide_text(models: Sequence[DeployedModel], *, root: Path, folder: Path, claim: str) -> str:
    """The page, in Markdown.

    Args:
        models: what is served.
        root: the folder that was given to `rnnapps deploy`.
        folder: where the files are.
        claim: the PersistentVolumeClaim of Kubernetes.
    """
    rows = [f"| `{model.name}` | {model.stable} | {'' if model.canary is None else model.canary} |" for model in models]
    copies = [f"kubectl cp {shlex.quote(str(model.base))} copy:/models/{model.name}" for model in models]
    first = models[0]
    return _PAGE.format(
        names=", ".join(model.name for model in models),
        rows="\n".join(rows),
        copies="\n".join(copies),
        again=f"rnnapps deploy {shlex.quote(str(root))} --to {shlex.quote(str(folder))}",
        here=shlex.quote(str(folder)),
        claim=claim,
        deployment=NAME,
        first=first.name,
        service=first.kubernetes_name,
        stable=first.stable,
        newest=first.stable if first.canary is None else first.canary,
    )
