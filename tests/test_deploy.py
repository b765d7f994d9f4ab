"""The manifests in deploy/ say what their platforms understand, and what the server does."""

import re
from functools import partial

import pytest
import yaml
from cloudcoil.models.kubernetes.apps import v1 as apps
from cloudcoil.models.kubernetes.autoscaling import v2 as autoscaling
from cloudcoil.models.kubernetes.core import v1 as core
from cloudcoil.models.kubernetes.policy import v1 as policy
from conftest import ROOT
from pydantic import ValidationError

from foodvision.answer.limits import MAX_MEGABYTES
from foodvision.answer.machine import MEMORY_UNITS
from foodvision.api.command import api
from foodvision.api.limits import SHUTDOWN_S
from foodvision.api.server import create_app
from foodvision.api.settings import Settings
from foodvision.locate import find_model

DEPLOY = ROOT / "deploy"
FILES = sorted(DEPLOY.glob("*.yaml"))
MODELS = {
    ("apps/v1", "Deployment"): apps.Deployment,
    ("v1", "Service"): core.Service,
    ("autoscaling/v2", "HorizontalPodAutoscaler"): autoscaling.HorizontalPodAutoscaler,
    ("policy/v1", "PodDisruptionBudget"): policy.PodDisruptionBudget,
}
SERVER_MEGABYTES = 220
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def documents(path):
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def understood(model, document):
    """What the platform's own model keeps of a document. Raises ValidationError for wrong types."""
    return model.model_validate(document).model_dump(mode="json", by_alias=True, exclude_unset=True)


def unknown(document, kept, path=""):
    """The fields that the platform doesn't know, because its model didn't keep them."""
    if isinstance(document, dict):
        lost = [f"{path}.{name}" for name in document if not isinstance(kept, dict) or name not in kept]
        return lost + [
            problem
            for name, value in document.items()
            if isinstance(kept, dict) and name in kept
            for problem in unknown(value, kept[name], f"{path}.{name}")
        ]
    if isinstance(document, list):
        return [problem for one, other in zip(document, kept, strict=True) for problem in unknown(one, other, path)]
    return []


def containers(path):
    """The server's container in a file."""
    found = []
    for document in documents(path):
        spec = document["spec"]
        pod = spec.get("predictor") or spec.get("template", {}).get("spec", {})
        found += pod.get("containers", [])
    return found


@each_file
def test_kubernetes_knows_every_field(path):
    for document in documents(path):
        if model := MODELS.get((document["apiVersion"], document["kind"])):
            assert unknown(document, understood(model, document)) == []


@pytest.mark.parametrize("name", ["knative", "cloudrun", "kserve"])
def test_kubernetes_knows_every_field_of_the_pods_that_other_platforms_start(name):
    """No package has the platforms' own schemas. Their containers are Kubernetes's, but a probe needs no port."""
    pod = {"containers": containers(DEPLOY / f"{name}.yaml")}
    for part in pod["containers"]:
        for probe in (value for key, value in part.items() if key.endswith("Probe")):
            probe["httpGet"].setdefault("port", 0)
    assert pod["containers"] and unknown(pod, understood(core.PodSpec, pod)) == []


def test_a_mistake_in_a_manifest_is_noticed():
    (document, *_) = documents(DEPLOY / "kubernetes.yaml")
    check = partial(understood, apps.Deployment)
    document["spec"]["template"]["spec"]["containers"][0]["resorces"] = {}
    assert unknown(document, check(document)) == [".spec.template.spec.containers.resorces"]
    document["spec"]["replicas"] = "many"
    with pytest.raises(ValidationError):
        check(document)


@each_file
def test_probes_ask_addresses_that_exist(path):
    paths = {re.sub(r"\{\w+\}", "foodvision", one) for one in create_app(Settings(find_model())).openapi()["paths"]}
    probes = [part["httpGet"]["path"] for one in containers(path) for name, part in one.items() if "Probe" in name]
    assert probes and set(probes) <= paths


@each_file
def test_the_command_is_one_that_exists(path):
    for container in containers(path):
        program, command, *options = container.get("args", ["foodvision", "api"])
        assert (program, command) == ("foodvision", "api")
        api.make_context("api", list(options))


@each_file
def test_the_largest_photo_fits_into_the_memory_limit(path):
    for container in containers(path):
        number, unit = re.fullmatch(r"(\d+)(\w+)", container["resources"]["limits"]["memory"]).groups()
        assert int(number) * MEMORY_UNITS[unit.lower()] > (MAX_MEGABYTES + SERVER_MEGABYTES) * 1e6


def test_pods_wait_as_long_as_the_server_needs_to_answer_what_it_has_taken():
    (deployment, *_) = documents(DEPLOY / "kubernetes.yaml")
    assert deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > SHUTDOWN_S


def test_the_document_names_every_manifest():
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert all(f"deploy/{path.name}" in text for path in FILES)
