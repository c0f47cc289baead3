"""Checks deploy/ and the Dockerfile, as far as this works without a container engine or a cluster."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from jsonschema.validators import validator_for  # type: ignore[import-untyped]

from leadyard.settings.settings import PREFIX, Settings
from rig.commands import command

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (ROOT / "Dockerfile").read_text()
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
MANIFESTS: list[dict[str, Any]] = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))
OURS = ("leadyard", "worker", "migrate")


def program(name: str) -> Path | None:
    """Returns a program of this environment, or of the machine."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    return Path(found) if found else None


def run(*words: str | Path, cwd: Path = ROOT) -> None:
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# ------------------------------------------------------------------------------------------------ names that exist


def test_settings_and_commands_exist() -> None:
    known = {PREFIX + field.upper() for field in Settings.model_fields}
    seen = set()
    for file in [ROOT / "Dockerfile", *(file for file in DEPLOY.rglob("*") if file.is_file())]:
        text = file.read_text().replace("LEADYARD_VERSION", "")
        named = set(re.findall(rf"{PREFIX}[A-Z_]+\b", text))
        assert named <= known, f"{file.name} sets {named - known}, which Leadyard does not read"
        seen |= named
    assert len(seen) >= 6
    commands = set(re.findall(r"^  ([a-z-]+)  ", command("--help").out.partition("Commands:")[2], re.MULTILINE))
    used = {words[0] for words in _commands_run()}
    assert used == {"serve", "worker", "migrate"}
    assert used <= commands


def _commands_run() -> Iterator[list[str]]:
    yield re.findall(r'^CMD \["([a-z]+)"\]', DOCKERFILE, re.MULTILINE)
    for unit in UNITS:
        yield re.findall(r"^ExecStart=.*/opt/leadyard/bin/leadyard (.+)$", unit.read_text(), re.MULTILINE)
    for name in OURS:
        yield COMPOSE["services"][name].get("command", ["serve"])
    for pod in pods():
        for container in pod["containers"]:
            yield container["args"]


# ---------------------------------------------------------------------------------------------------- the image


def test_the_image() -> None:
    build, final = DOCKERFILE.split("FROM ${BASE}")[1:]
    installs = [line for line in build.split(" && ") if "pip" in line and " install " in line]
    for install in installs[:2]:
        assert "--require-hashes" in install, install
        assert "--only-binary :all:" in install, install
    assert "--no-build-isolation" in build, "otherwise pip fetches the newest hatchling"
    assert re.search(r"^ARG BASE=python:3\.\d+-slim-\w+$", DOCKERFILE, re.MULTILINE), "a tag, and not `latest`"
    assert "pip" not in final, "the image needs no installer"
    assert "apt" not in DOCKERFILE
    assert re.search(r"^USER 10001:10001$", final, re.MULTILINE), "a number: an orchestrator cannot look up a name"
    assert final.index("USER") < final.index("ENTRYPOINT")
    health = re.search(r"^HEALTHCHECK .*\\\n  CMD (\[.*\])$", final, re.MULTILINE)
    assert health
    program, *_, text = yaml.safe_load(health[1])
    assert program == "python"
    assert "/livez" in text
    compile(text, "HEALTHCHECK", "exec")
    assert re.search(r"^EXPOSE 8000$", final, re.MULTILINE), "the image must not publish the admin port"


def test_the_image_gets_nothing_but_the_program() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert "*" in ignored
    for copied in re.findall(r"^COPY ([^-].*) \S+$", DOCKERFILE, re.MULTILINE):
        for name in copied.split():
            assert f"!{name}" in ignored, f".dockerignore keeps {name} out"
            assert (ROOT / name).exists()


def test_the_linter_of_dockerfiles() -> None:
    hadolint = program("hadolint")
    if hadolint is None:
        # It has no wheel for this platform. The tests above check the most important rules.
        return
    run(hadolint, "--failure-threshold=style", "Dockerfile")


# ------------------------------------------------------------------------------------------------------ compose


def test_compose_follows_its_schema() -> None:
    # The program of check-jsonschema does the same, but takes seconds to start.
    schema = json.loads((files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json").read_text())
    validator = validator_for(schema)(schema)
    assert [f"{list(wrong.path)}: {wrong.message}" for wrong in validator.iter_errors(COMPOSE)] == []
    wrong = {**COMPOSE, "services": {"x": {"image": "x", "restrat": "always"}}}
    assert list(validator.iter_errors(wrong)), "a misspelt key would be noticed"


@pytest.mark.parametrize("name", sorted(COMPOSE["services"]))
def test_compose_services_may_do_little(name: str) -> None:
    service = COMPOSE["services"][name]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service.get("privileged")
    if name != "postgres":
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
    for port in service.get("ports", []):
        assert port.startswith("127.0.0.1:"), f"{name} is reachable from other machines, without TLS"
        assert "9000" not in port
    image = service["image"]
    assert image.startswith("leadyard:") or re.search(r":\d+", image), f"{image} is not pinned"


def test_compose_keeps_secrets_and_order() -> None:
    services = COMPOSE["services"]
    text = (DEPLOY / "compose.yaml").read_text()
    required = {"POSTGRES_PASSWORD", "LEADYARD_SECRET_KEY"}
    assert set(re.findall(r"\$\{(\w+):\?", text)) == required, "it must be set, and has no default"
    assert not re.search(r"PASSWORD:\s*[a-z0-9]+$", text, re.MULTILINE)
    for name in ("leadyard", "worker"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert services["migrate"]["depends_on"]["postgres"] == {"condition": "service_healthy"}
    assert COMPOSE["networks"]["inside"]["internal"] is True
    for name in ("postgres", "valkey"):
        assert services[name]["networks"] == ["inside"]
        assert "ports" not in services[name]
        assert services[name]["healthcheck"]["test"]
    named = {network for service in services.values() for network in service["networks"]}
    assert named == set(COMPOSE["networks"])


# --------------------------------------------------------------------------------------------------- Kubernetes


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [each for each in MANIFESTS if each["kind"] == kind]


def pods() -> list[dict[str, Any]]:
    return [each["spec"]["template"]["spec"] for each in MANIFESTS if "template" in each.get("spec", {})]


def test_manifests_follow_their_schemas() -> None:
    newest = kubernetes_validate.latest_version()
    for manifest in MANIFESTS:
        kubernetes_validate.validate(manifest, newest, strict=True)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**of_kind("Service")[0], "spce": {}}, newest, strict=True)
    assert {"Job", "Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy"} <= {m["kind"] for m in MANIFESTS}
    assert not of_kind("Secret"), "a committed secret is not a secret"


def test_selectors_select() -> None:
    labels = [
        each["spec"]["template"]["metadata"]["labels"] for each in MANIFESTS if "template" in each.get("spec", {})
    ]
    for deployment in of_kind("Deployment"):
        wanted = deployment["spec"]["selector"]["matchLabels"]
        assert wanted == deployment["spec"]["template"]["metadata"]["labels"]
    serving = [each for each in labels if each["app.kubernetes.io/component"] == "serve"]
    for selector in (
        of_kind("Service")[0]["spec"]["selector"],
        of_kind("PodDisruptionBudget")[0]["spec"]["selector"]["matchLabels"],
    ):
        assert [each for each in labels if selector.items() <= each.items()] == serving
    assert all(
        of_kind("NetworkPolicy")[0]["spec"]["podSelector"]["matchLabels"].items() <= each.items() for each in labels
    )
    names = {(each["kind"], each["metadata"]["name"]) for each in MANIFESTS}
    for pod in pods():
        assert ("ServiceAccount", pod["serviceAccountName"]) in names
        for container in pod["containers"]:
            for source in container["envFrom"]:
                assert source in ({"configMapRef": {"name": "leadyard"}}, {"secretRef": {"name": "leadyard"}})
    assert ("ConfigMap", "leadyard") in names


def test_pods_may_do_little() -> None:
    assert len(pods()) == 3
    for pod in pods():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 10001
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        # A Service called leadyard would set LEADYARD_PORT=tcp://..., which is not a port.
        assert pod["enableServiceLinks"] is False
        volumes = {volume["name"] for volume in pod["volumes"]}
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"]["memory"]
            assert container["resources"]["requests"]
            assert re.search(r":\d+\.\d+\.\d+$", container["image"])
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


def test_the_manifests_are_of_this_version() -> None:
    assert of_kind("Job")[0]["metadata"]["name"] == f"leadyard-migrate-{version('leadyard').replace('.', '-')}"
    images = {container["image"] for pod in pods() for container in pod["containers"]}
    assert images == {f"registry.example.com/leadyard:{version('leadyard')}"}


def test_probes_use_the_admin_port_and_no_service_exposes_it() -> None:
    serve = next(each for each in of_kind("Deployment") if each["metadata"]["name"] == "leadyard")
    assert serve["spec"]["replicas"] >= 2
    assert serve["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    (container,) = serve["spec"]["template"]["spec"]["containers"]
    for probe, path in (("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
        assert container[probe]["httpGet"] == {"path": path, "port": "admin"}
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    settings = of_kind("ConfigMap")[0]["data"]
    assert settings["LEADYARD_ADMIN_PORT"] == str(ports["admin"])
    worker = next(each for each in of_kind("Deployment") if each["metadata"]["name"] == "leadyard-worker")
    (container,) = worker["spec"]["template"]["spec"]["containers"]
    assert container["ports"] == [{"name": "admin", "containerPort": ports["admin"]}]
    assert container["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "admin"}
    assert [port["targetPort"] for port in of_kind("Service")[0]["spec"]["ports"]] == ["http"]
    (backend,) = [path["backend"] for path in of_kind("Ingress")[0]["spec"]["rules"][0]["http"]["paths"]]
    assert backend == {"service": {"name": "leadyard", "port": {"name": "http"}}}


# ------------------------------------------------------------------------------------------------------- systemd


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_may_do_little(unit: Path) -> None:
    text = unit.read_text()
    for line in (
        "User=leadyard",
        "StateDirectory=leadyard",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        "CapabilityBoundingSet=",
        "UMask=0077",
        "EnvironmentFile=-/etc/leadyard/leadyard.env",
    ):
        assert f"\n{line}\n" in text, f"{unit.name} lacks {line}"
    stop = re.search(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)
    assert "migrate" in unit.name or (stop and int(stop[1]) > (20 if "worker" in unit.name else 50)), (
        "requests in progress may take 30 s, and handing back jobs 20 s"
    )


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    assert [unit.name for unit in UNITS] == [
        "leadyard-migrate.service",
        "leadyard-worker.service",
        "leadyard.service",
        "leadyard@.service",
    ]
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        # This machine has no systemd. The test above checks the most important rules.
        return
    names = []
    for unit in UNITS:
        name = unit.name.replace("@.", "@01.")
        names.append(name)
        # verify looks for the program, which is not installed here.
        (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/leadyard/bin/leadyard", "/bin/true"))
    done = subprocess.run(
        [analyze, "verify", "--man=no", *(f"./{name}" for name in names)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    complaints = [line for line in done.stderr.splitlines() if "leadyard" in line or str(tmp_path) in line]
    assert (done.returncode, complaints) == (0, []), done.stderr
    if "--threshold" in subprocess.run([analyze, "--help"], capture_output=True, text=True, check=False).stdout:
        # 10 is unprotected. systemd rates up to 5 as OK.
        for name in names:
            run(analyze, "security", "--offline=true", "--threshold=20", f"./{name}", cwd=tmp_path)


# ------------------------------------------------------------------------------------------------ reverse proxies


def test_proxies_let_big_bodies_through_at_uploads_only() -> None:
    nginx, caddy = (DEPLOY / "nginx.conf").read_text(), (DEPLOY / "Caddyfile").read_text()
    assert nginx.count("{") == nginx.count("}")
    assert caddy.count("{") == caddy.count("}")
    server, uploads = nginx.split("location ~ ")
    assert "client_max_body_size 1m;" in server
    assert "/uploads" in uploads.partition("{")[0]
    assert "client_max_body_size 1g;" in uploads
    # The service limits bodies. A body that Caddy or a client breaks off must not count as a failure of the process.
    assert not re.findall(r"^\s*(?:request_body|max_size|fail_duration)", caddy, re.MULTILINE)
    # $proxy_add_x_forwarded_for would pass on the client's own header.
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in nginx
    # A 503 is an answer. Counted as a failure, one client's broken provider would cut off all other clients.
    assert re.findall(r"proxy_next_upstream ([^;]*);", nginx) == ["error timeout"]
    for text in (nginx, caddy):
        assert "90" not in re.findall(r"127\.0\.0\.1:(\d\d)", text), "the admin port is never exposed"


def test_the_page_shows_lines_of_the_real_files() -> None:
    shown = re.findall(r"```nginx\n(.*?)```", (ROOT / "docs" / "deploying.md").read_text(), re.DOTALL)
    assert shown
    for line in "".join(shown).splitlines():
        assert line in (DEPLOY / "nginx.conf").read_text(), line
