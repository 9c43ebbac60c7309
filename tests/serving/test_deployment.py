"""Files of a deployment, as their readers parse them; names that mean something there are refused."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf import text_format

from rnnapps.cli.main import main
from rnnapps.errors import ConfigError, ExportError
from rnnapps.serving.deployment.served_models import deployed_models
from rnnapps.serving.deployment.write import deploy

BATCHING = "max_batch_size {{ value: {} }}\nbatch_timeout_micros {{ value: 2000 }}\nnum_batch_threads {{ value: 4 }}\n"


def write_models(root: Path, **versions: list[int]) -> Path:
    """Exports, as far as a deployment looks at them."""
    for name, numbers in versions.items():
        for number in numbers:
            folder = root / name / str(number)
            folder.mkdir(parents=True)
            (folder / "saved_model.pb").touch()
            (folder / "batching_params.pbtxt").write_text(BATCHING.format(16 * number))
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_models(tmp_path / "saved $HOME 'models'", stories=[1, 2, 10], Two_words=[3])


def of(path: Path) -> list[Any]:
    return list(yaml.safe_load_all(path.read_text()))


def test_the_config_of_tensorflow_serving_names_versions_and_labels(root: Path, tmp_path: Path) -> None:
    from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

    deploy(root, tmp_path / "to")
    config = text_format.Parse((tmp_path / "to" / "models.config").read_text(), ModelServerConfig())
    two, stories = config.model_config_list.config
    assert (two.name, two.base_path, dict(two.version_labels)) == ("Two_words", "/models/Two_words", {"stable": 3})
    assert dict(stories.version_labels) == {"stable": 2, "canary": 10}
    assert list(stories.model_version_policy.specific.versions) == [2, 10]
    assert stories.model_platform == two.model_platform == "tensorflow"


def test_batches_are_as_large_as_the_largest_and_threads_are_shared(root: Path, tmp_path: Path) -> None:
    deploy(root, tmp_path / "to")
    lines = (tmp_path / "to" / "batching.pbtxt").read_text().splitlines()
    assert "max_batch_size { value: 48 }" in lines and "num_batch_threads { value: 8 }" in lines
    assert "max_enqueued_batches { value: 10 }" in lines and "pad_variable_length_inputs: true" in lines


def test_compose_mounts_each_model_read_only_and_reads_both_files(root: Path, tmp_path: Path) -> None:
    deploy(root, tmp_path / "to")
    (file,) = of(tmp_path / "to" / "docker-compose.yaml")
    server = file["services"]["models"]
    mounts = {mount["target"]: mount["source"] for mount in server["volumes"]}
    assert all(mount["read_only"] for mount in server["volumes"]) and server["read_only"]
    assert mounts["/models/stories"].replace("$$", "$") == str((root / "stories").resolve())
    assert "$HOME" not in mounts["/models/stories"].replace("$$", "")
    assert {mounts["/config/models.config"], mounts["/config/batching.pbtxt"]} == {
        "./models.config",
        "./batching.pbtxt",
    }
    assert all(port.startswith("127.0.0.1:") for port in server["ports"])
    assert "--enable_per_model_batching_parameters=true" in server["command"]
    assert "--allow_version_labels_for_unavailable_models=true" in server["command"]


def test_kubernetes_has_the_same_files_probes_limits_and_a_read_only_root(root: Path, tmp_path: Path) -> None:
    deploy(root, tmp_path / "to", claim="exports")
    config, deployment, service = of(tmp_path / "to" / "kubernetes.yaml")
    for name in ("models.config", "batching.pbtxt"):
        assert config["data"][name] == (tmp_path / "to" / name).read_text()
    pod = deployment["spec"]["template"]
    assert pod["metadata"]["labels"].items() >= service["spec"]["selector"].items()
    assert deployment["spec"]["selector"]["matchLabels"] == service["spec"]["selector"]
    (server,) = pod["spec"]["containers"]
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= server.keys()
    assert server["readinessProbe"]["httpGet"]["path"] == "/v1/models/Two_words/labels/stable/metadata"
    assert server["securityContext"]["readOnlyRootFilesystem"] and pod["spec"]["securityContext"]["runAsNonRoot"]
    assert set(server["resources"]) == {"requests", "limits"}
    assert pod["spec"]["volumes"][0]["persistentVolumeClaim"] == {"claimName": "exports", "readOnly": True}
    ports = {port["name"]: port["containerPort"] for port in server["ports"]}
    assert {port["targetPort"]: port["port"] for port in service["spec"]["ports"]} == ports


def test_kserve_has_a_service_for_each_model(root: Path, tmp_path: Path) -> None:
    deploy(root, tmp_path / "to")
    services = of(tmp_path / "to" / "kserve.yaml")
    assert [service["metadata"]["name"] for service in services] == ["two-words", "stories"]
    assert services[1]["spec"]["predictor"]["model"]["storageUri"] == "pvc://models/stories"


def test_the_guide_repeats_the_command_and_pins(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "to"
    assert main(["deploy", str(root), "--to", str(folder), "--pin", "stories=1,10"]) == 0
    assert "stories: stable = version 1, canary = version 10" in capsys.readouterr().out
    text = (folder / "README.md").read_text()
    again = text.split("Written by `")[1].split("`")[0]
    assert shlex.split(again) == ["rnnapps", "deploy", str(root), "--to", str(folder)]
    assert main(shlex.split(again)[1:]) == 0
    assert "stories: stable = version 2, canary = version 10" in capsys.readouterr().out


def test_one_models_folder_is_enough(root: Path, tmp_path: Path) -> None:
    (model,) = deploy(root / "stories", tmp_path / "to", pins=("stories=1",))
    assert (model.labels, model.base) == ({"stable": 1}, (root / "stories").resolve())


@pytest.mark.parametrize("name", ['a"b', "a b", "a:b", "ä", "-a", "a" * 64, "a\nb", "a'b", "$(x)", "_a"])
def test_names_that_mean_something_elsewhere_are_refused(name: str, tmp_path: Path) -> None:
    write_models(tmp_path / "models", **{name: [1]})
    with pytest.raises(ExportError, match="rename its folder") as caught:
        deploy(tmp_path / "models", tmp_path / "to")
    assert not (tmp_path / "to").exists() and "name of a model" in str(caught.value)


def test_names_that_kubernetes_cannot_tell_apart_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="Kubernetes cannot tell them apart"):
        deployed_models(write_models(tmp_path, a_b=[1], **{"A-b": [1]}), {})


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"pins": ("stories=3",)}, "version 3 is missing or no export; there are 1, 2, 10"),
        ({"pins": ("stories=1,7",)}, "version 7 is missing"),
        ({"pins": ("other=1",)}, "no such model .* there are Two_words, stories"),
        ({"pins": ("stories",)}, "expected NAME=STABLE"),
        ({"pins": ("stories=1,1",)}, "expected NAME=STABLE"),
        ({"pins": ("stories=1", "stories=2")}, "each model once"),
        ({"image": "a b"}, "expected the name of an image"),
        ({"image": "a\nb: c"}, "expected the name of an image"),
        ({"claim": "Models"}, "as Kubernetes has names"),
    ],
)
def test_what_is_not_there_or_no_name_is_told(root: Path, arguments: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises((ExportError, ConfigError), match=told):
        deploy(root, tmp_path / "to", **arguments)
    assert not (tmp_path / "to").exists()


def test_nothing_but_an_earlier_deployment_is_overwritten(root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "to"
    deploy(root, folder)
    deploy(root, folder)
    (folder / "mine.txt").touch()
    with pytest.raises(ConfigError, match=r"holds 'mine\.txt'"):
        deploy(root, folder)
    (folder / "mine.txt").unlink()
    (folder / "kserve.yaml").unlink()
    os.symlink(tmp_path / "elsewhere", folder / "kserve.yaml")
    with pytest.raises(ConfigError, match="is a link"):
        deploy(root, folder)
    with pytest.raises(ConfigError, match="is no folder"):
        deploy(root, folder / "README.md")
    with pytest.raises(ExportError, match="holds no exported model"):
        deploy(folder, tmp_path / "other")
