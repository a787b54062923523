"""deploy/kubernetes: resources that Kubernetes takes, that fit together, and that fit the site."""

import re
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.databases import Postgres, postgres_program
from tests.processes import SITE

FOLDER = SITE / "deploy" / "kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))
# The oldest version that still gets fixes, and the newest one that the schemas know.
VERSIONS = ("1.34", kubernetes_validate.latest_version())
VARIABLE = re.compile(r"^#?([A-Z][A-Z0-9_]+)=", re.MULTILINE)
DOCUMENTED = set(VARIABLE.findall((SITE / ".env.example").read_text(encoding="utf-8")))
# Of every program, not of this site.
OTHERS = {"TMPDIR"}
POD_SECURITY = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
CONTAINER_SECURITY = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}

Resource = dict[str, Any]


def resources() -> Iterator[Resource]:
    for name in KUSTOMIZATION["resources"]:
        yield from yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8"))


RESOURCES = {f"{each['kind']}/{each['metadata']['name']}": each for each in resources()}


def pod_of(resource: Resource) -> Resource | None:
    """The template of the pods that it makes, if it makes any."""
    spec = resource.get("spec", {})
    template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
    return template if isinstance(template, dict) else None


PODS = {name: pod for name, each in RESOURCES.items() if (pod := pod_of(each))}
CONTAINERS = {
    f"{name}: {container['name']}": container
    for name, pod in PODS.items()
    for kind in ("initContainers", "containers")
    for container in pod["spec"].get(kind, [])
}
DEPLOYMENTS = [name for name in PODS if name.startswith("Deployment/")]


def settings() -> dict[str, str]:
    (generator,) = KUSTOMIZATION["configMapGenerator"]
    return dict(each.split("=", 1) for each in generator["literals"])


def variables(container: Resource) -> dict[str, Any]:
    return {each["name"]: each.get("value") for each in container.get("env", [])}


def test_every_file_is_listed() -> None:
    files = {file.name for file in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    assert files == set(KUSTOMIZATION["resources"])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", RESOURCES)
def test_the_published_schema_accepts(name: str, version: str) -> None:
    kubernetes_validate.validate(RESOURCES[name], version, strict=True)


def test_the_schema_refuses_what_is_misspelt() -> None:
    broken = deepcopy(RESOURCES["Deployment/web"])
    broken["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="livenesProbe"):
        kubernetes_validate.validate(broken, VERSIONS[0], strict=True)


@pytest.mark.parametrize("name", CONTAINERS)
def test_images_are_pinned(name: str) -> None:
    tags = {each["name"]: each["newTag"] for each in KUSTOMIZATION["images"]}
    image, _colon, tag = CONTAINERS[name]["image"].partition(":")
    tag = tag or tags[image]
    assert re.search(r"\d", tag), f"{image}:{tag}"
    assert image in tags or re.fullmatch(r"\d+\.\d+(\.\d+)?", tag)


@pytest.mark.parametrize("name", CONTAINERS)
def test_variables_are_those_of_the_site(name: str) -> None:
    assert set(variables(CONTAINERS[name])) <= DOCUMENTED | OTHERS


def test_settings_are_those_of_the_site() -> None:
    assert set(settings()) <= DOCUMENTED


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_has_limits_and_no_powers(name: str) -> None:
    container = CONTAINERS[name]
    assert container["securityContext"] == CONTAINER_SECURITY
    assert container["resources"]["limits"]["memory"]
    assert set(container["resources"]["requests"]) == {"cpu", "memory"}


@pytest.mark.parametrize("name", PODS)
def test_a_pod_runs_as_nobody_and_writes_where_it_may(name: str) -> None:
    spec = PODS[name]["spec"]
    security = spec["securityContext"]
    assert POD_SECURITY.items() <= security.items()
    assert security["runAsUser"] > 0
    assert spec["automountServiceAccountToken"] is False
    volumes = {each["name"] for each in spec["volumes"]}
    for kind in ("initContainers", "containers"):
        for container in spec.get(kind, []):
            mounts = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
            assert set(mounts.values()) <= volumes
            for variable in ("TMPDIR", "ALIVE_FILE", "PROMETHEUS_MULTIPROC_DIR"):
                path = variables(container).get(variable)
                assert path is None or {path, str(Path(path).parent)} & set(mounts)


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_deployment_is_asked_how_it_is(name: str) -> None:
    (container,) = PODS[name]["spec"]["containers"]
    ports = {each["name"] for each in container["ports"]}
    wanted = ["startupProbe", "livenessProbe"]
    if name == "Deployment/web":
        wanted.append("readinessProbe")
        assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    for probe in wanted:
        if get := container[probe].get("httpGet"):
            assert get["port"] in ports
            assert get["httpHeaders"] == [{"name": "Host", "value": settings()["DOMAIN_NAME"]}]
        else:
            line = container[probe]["exec"]["command"][-1]
            assert line in (SITE / "docs" / "observability.md").read_text(encoding="utf-8")
            assert "ALIVE_FILE" in variables(container)


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_selectors_find_their_pods(name: str) -> None:
    labels = PODS[name]["metadata"]["labels"]
    assert RESOURCES[name]["spec"]["selector"]["matchLabels"] == labels
    budget = RESOURCES.get(name.replace("Deployment", "PodDisruptionBudget"))
    assert budget is None or budget["spec"]["selector"]["matchLabels"] == labels


def test_the_way_in_leads_to_the_web_servers() -> None:
    ingress, service = RESOURCES["Ingress/web"]["spec"], RESOURCES["Service/web"]["spec"]
    host = settings()["DOMAIN_NAME"]
    assert [rule["host"] for rule in ingress["rules"]] == [host]
    assert [entry["hosts"] for entry in ingress["tls"]] == [[host]]
    backend = ingress["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert backend["name"] == RESOURCES["Service/web"]["metadata"]["name"]
    assert [each["name"] for each in service["ports"]] == [backend["port"]["name"]]
    assert service["selector"] == PODS["Deployment/web"]["metadata"]["labels"]
    (web,) = PODS["Deployment/web"]["spec"]["containers"]
    assert service["ports"][0]["targetPort"] in {each["name"] for each in web["ports"]}
    assert settings()["BEHIND_PROXY"] == "1"
    assert "--proxy-headers" in web["command"]


def test_a_worker_drains_before_it_is_killed() -> None:
    spec = PODS["Deployment/worker"]["spec"]
    drain = float(settings()["WORKER_DRAIN_SECONDS"])
    assert spec["terminationGracePeriodSeconds"] >= drain + 30
    assert variables(spec["containers"][0])["REMAP_SIGTERM"] == "SIGQUIT"


def test_workers_grow_by_what_waits_and_runs() -> None:
    scaler = RESOURCES["HorizontalPodAutoscaler/worker"]["spec"]
    target = scaler["scaleTargetRef"]
    assert f"{target['kind']}/{target['name']}" in DEPLOYMENTS
    # Else each `kubectl apply` would set them back to a number.
    assert "replicas" not in RESOURCES["Deployment/worker"]["spec"]
    command = PODS["Deployment/worker"]["spec"]["containers"][0]["command"]
    metric = scaler["metrics"][0]["external"]
    assert metric["target"]["averageValue"] == command[command.index("--concurrency") + 1]
    page = (SITE / "docs" / "scaling.md").read_text(encoding="utf-8")
    assert f"as: {metric['metric']['name']}" in page


def test_there_is_one_scheduler_at_any_time() -> None:
    spec = RESOURCES["Deployment/beat"]["spec"]
    assert (spec["replicas"], spec["strategy"]["type"]) == (1, "Recreate")


@pytest.mark.parametrize("name", ["Deployment/worker", "Deployment/beat"])
def test_nothing_of_a_new_version_runs_before_its_migrations(name: str) -> None:
    """Web servers start, and are not ready: that is `/readyz`'s doing."""
    (wait,) = PODS[name]["spec"]["initContainers"]
    assert "manage.py migrate --check" in wait["command"][-1]
    assert PODS["Job/migrate"]["spec"]["containers"][0]["command"][:3] == [
        "python",
        "manage.py",
        "migrate",
    ]


def test_settings_and_secrets_come_from_where_they_are() -> None:
    (generator,) = KUSTOMIZATION["configMapGenerator"]
    page = (SITE / "docs" / "scaling.md").read_text(encoding="utf-8")
    for container in CONTAINERS.values():
        for source in container.get("envFrom", []):
            if "configMapRef" in source:
                assert source["configMapRef"]["name"] == generator["name"]
            else:
                assert f"create secret generic {source['secretRef']['name']}" in page
        for each in container.get("env", []):
            if "valueFrom" in each:
                secret = each["valueFrom"]["secretKeyRef"]
                assert f"create secret generic {secret['name']}" in page


@pytest.mark.integration
def test_the_backup_is_one_and_the_last_fourteen_are_kept(tmp_path: Path) -> None:
    """The container's own script, against a real PostgreSQL."""
    if reason := Postgres.why_not():
        pytest.skip(reason)
    (container,) = PODS["CronJob/backup"]["spec"]["containers"]
    script = container["command"][-1]
    assert "cd /backups\n" in script
    for day in range(10, 30):
        (tmp_path / f"site-2026-01-{day}T031700Z.dump").touch()
    database = Postgres()
    database.start()
    try:
        programs = Path(str(postgres_program("pg_dump"))).parent
        done = subprocess.run(
            [*container["command"][:-1], script.replace("cd /backups\n", f"cd {tmp_path}\n")],
            env={"DATABASE_URL": database.url, "PATH": f"{programs}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        database.stop()
    assert done.returncode == 0, done.stderr
    left = sorted(file.name for file in tmp_path.iterdir())
    assert len(left) == 14
    assert left[0] == "site-2026-01-17T031700Z.dump"
    assert (tmp_path / left[-1]).stat().st_size > 500
    assert (tmp_path / left[-1]).read_bytes().startswith(b"PGDMP")
