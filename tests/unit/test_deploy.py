"""What deploy/ describes is valid by its own schemas, and names only what there is."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from service.runtime import MARGIN_SECONDS
from service.settings import ENV_PREFIX, Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
KUBERNETES = DEPLOY / "kubernetes"
KUSTOMIZATIONS = sorted(KUBERNETES.rglob("kustomization.yaml"))
MANIFESTS = sorted({*KUBERNETES.rglob("*.yaml")} - {*KUSTOMIZATIONS})
FULL = sorted((KUBERNETES / "base").glob("*.yaml"))
OVERLAYS = sorted(path.parent for path in (KUBERNETES / "overlays").glob("*/kustomization.yaml"))
OPERATORS = {"keda.sh/v1alpha1", "monitoring.coreos.com/v1"}  # kinds that Kubernetes does not know
OLDEST_KUBERNETES = "1.31"
ENOUGH_SECONDS = Settings().drain_timeout_seconds + MARGIN_SECONDS


def name_of(path: Path) -> str:
    return str(path.relative_to(DEPLOY))


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text()))


def accepted(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """What a worker reads from these variables; fails where one is unknown or wrong."""
    for name, value in variables.items():
        assert name.removeprefix(ENV_PREFIX).lower() in Settings.model_fields, name
        monkeypatch.setenv(name, value)
    return Settings()


# compose.yaml


def test_compose_file_follows_the_specification() -> None:
    command = ("-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml")
    done = subprocess.run(
        [sys.executable, *command], cwd=DEPLOY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("service", COMPOSE["services"].values(), ids=COMPOSE["services"])
def test_a_compose_service_is_pinned_confined_and_listens_on_loopback(
    service: dict[str, Any],
) -> None:
    assert re.search(r":v?\d+\.\d+\.\d+$", service["image"])
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "mem_limit" in service
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


@pytest.mark.parametrize("service", COMPOSE["services"].values(), ids=COMPOSE["services"])
def test_files_that_a_compose_service_mounts_exist(service: dict[str, Any]) -> None:
    for mount in service.get("volumes", []):
        source = mount.partition(":")[0]
        named = source in COMPOSE["volumes"]
        assert named or (DEPLOY / source).exists(), mount


@pytest.mark.parametrize("service", ["topics", "worker", "speakers", "publisher"])
def test_settings_of_a_compose_service_are_settings(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted(COMPOSE["services"][service]["environment"], monkeypatch)


def test_only_a_worker_is_asked_for_its_health_as_the_image_does() -> None:
    ours = {name: one for name, one in COMPOSE["services"].items() if "stancewire" in one["image"]}
    asked = [name for name, one in ours.items() if not one.get("healthcheck", {}).get("disable")]
    assert asked == ["worker"]


def test_compose_lets_a_worker_drain() -> None:
    assert float(COMPOSE["services"]["worker"]["stop_grace_period"].rstrip("s")) > ENOUGH_SECONDS


# Kubernetes


@pytest.mark.parametrize("path", KUSTOMIZATIONS, ids=name_of)
def test_a_kustomization_names_files_that_exist_and_leaves_none_out(path: Path) -> None:
    content = documents(path)[0]
    named = [*content.get("resources", []), *content.get("components", [])]
    named += [patch["path"] for patch in content.get("patches", []) if "path" in patch]
    for one in named:
        assert (path.parent / one).exists(), one
    beside = {other.name for other in path.parent.glob("*.yaml")} - {path.name}
    assert beside <= set(named)


@pytest.mark.parametrize("path", [path for path in FULL if path not in KUSTOMIZATIONS], ids=name_of)
def test_a_manifest_is_valid(path: Path) -> None:
    for document in documents(path):
        kubernetes_validate.validate(document, OLDEST_KUBERNETES, strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS, ids=name_of)
def test_an_overlay_builds_into_valid_manifests(overlay: Path) -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl, which builds it, is not installed")
    built = subprocess.run(
        [kubectl, "kustomize", overlay], capture_output=True, text=True, check=True, timeout=60
    )
    found = list(yaml.safe_load_all(built.stdout))
    assert "Deployment" in {document["kind"] for document in found}
    for document in found:
        if document["apiVersion"] not in OPERATORS:
            kubernetes_validate.validate(document, OLDEST_KUBERNETES, strict=True)


def literals(path: Path) -> dict[str, str]:
    """The settings of a kustomization."""
    maps = documents(path)[0].get("configMapGenerator", [])
    return dict(literal.split("=", 1) for one in maps for literal in one["literals"])


@pytest.mark.parametrize("overlay", [None, *OVERLAYS], ids=str)
def test_settings_of_a_kustomization_are_settings_that_go_together(
    overlay: Path | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = literals(KUBERNETES / "base" / "kustomization.yaml")
    found |= literals(overlay / "kustomization.yaml") if overlay else {}
    for name, value in found.items():  # files that are there only in the pod
        if value.startswith("/run/secrets/"):
            found[name] = str(tmp_path / "secret")
            (tmp_path / "secret").write_text("secret")
    accepted(found, monkeypatch)


DEPLOYMENT = documents(KUBERNETES / "base" / "deployment.yaml")[0]
POD = DEPLOYMENT["spec"]["template"]["spec"]
CONTAINER = POD["containers"][0]


def test_a_pod_may_drain() -> None:
    assert POD["terminationGracePeriodSeconds"] > ENOUGH_SECONDS


def test_a_pod_has_no_privileges() -> None:
    assert POD["securityContext"]["runAsNonRoot"]
    assert not POD["automountServiceAccountToken"]
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_probes_ask_the_paths_that_a_worker_serves() -> None:
    paths = {probe: CONTAINER[probe]["httpGet"]["path"] for probe in CONTAINER if "Probe" in probe}
    assert paths == {
        "startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz",
    }  # fmt: skip


def test_the_user_of_a_pod_is_that_of_the_image() -> None:
    user = re.search(r"^USER (\d+):(\d+)$", (DEPLOY.parent / "Dockerfile").read_text(), re.M)
    assert user
    context = POD["securityContext"]
    assert (str(context["runAsUser"]), str(context["runAsGroup"])) == user.groups()


def selectors() -> Iterator[dict[str, str]]:
    """How each object finds the pods."""
    for path in MANIFESTS:
        for document in documents(path):
            spec = document.get("spec", {})
            selector = spec.get("selector") or spec.get("podSelector")
            if selector and document["kind"] != "ScaledObject":
                yield selector.get("matchLabels", selector)


def test_every_selector_finds_the_pods() -> None:
    labels = DEPLOYMENT["spec"]["template"]["metadata"]["labels"]
    found = list(selectors())
    assert len(found) == 5  # deployment, service, budget, policy, monitor
    assert all(selector == labels for selector in found)


@pytest.mark.parametrize(
    "path",
    [path for path in MANIFESTS if documents(path)[0]["kind"] == "ScaledObject"],
    ids=name_of,
)
def test_scaling_reads_the_lag_of_our_group_on_our_topic_and_stops_at_the_partitions(
    path: Path,
) -> None:
    [scaled] = documents(path)
    [trigger] = scaled["spec"]["triggers"]
    asked = trigger["metadata"]
    assert (asked["topic"], asked["consumerGroup"]) == (Settings().topic_articles, Settings().group)
    assert asked["allowIdleConsumers"] == "false"  # KEDA's own limit at the partitions
    assert scaled["spec"]["maxReplicaCount"] % 4 == 0
