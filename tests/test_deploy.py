"""What is deployed fits together and fits the server. `scripts/deploy-check` holds the manifests against Kubernetes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from starlette.routing import Match

from cloud_incident.app import build_app
from cloud_incident.cli.options import load_settings
from cloud_incident.cli.serve import serve
from cloud_incident.settings.serve import ServeSettings

DEPLOY = Path(__file__).parents[1] / "deploy"
SCHEMA = Path(__file__).parent / "interop" / "schemas" / "compose-spec.json"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
MANIFESTS = {
    (manifest["kind"], manifest["metadata"]["name"]): manifest
    for file in ("server", "redis", "network")
    for manifest in yaml.safe_load_all((DEPLOY / "kubernetes" / f"{file}.yaml").read_text("utf-8"))
}
DEPLOYMENT, STORE = MANIFESTS["Deployment", "cloud-incident"], MANIFESTS["StatefulSet", "cloud-incident-redis"]
PODS = {kept["metadata"]["name"]: kept["spec"]["template"] for kept in (DEPLOYMENT, STORE)}
(SERVER,) = PODS["cloud-incident"]["spec"]["containers"]
PORTS = {port["name"]: port["containerPort"] for port in SERVER["ports"]}


def read_settings(command: list[str]) -> ServeSettings:
    """The settings that a command line of `cloud-incident serve` means."""
    program, name, *arguments = command
    assert (program, name) == ("cloud-incident", "serve")
    written = [
        argument.replace("${WORKERS:-2}", "2").replace("${PUBLIC_HOST:-localhost}", "a") for argument in arguments
    ]
    with serve.make_context("serve", written) as context:
        return load_settings(ServeSettings, context)


def test_the_compose_file_is_valid_by_the_official_schema() -> None:
    jsonschema.Draft7Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(COMPOSE)


@pytest.mark.parametrize("command", [COMPOSE["services"]["server"]["command"], SERVER["args"]], ids=["compose", "pod"])
def test_the_server_is_stateless_and_reached_from_outside_by_its_name(command: list[str]) -> None:
    settings = read_settings(command)
    assert not settings.alone
    assert settings.allow_host
    assert settings.host == "0.0.0.0"  # noqa: S104 - compared with
    assert settings.store.startswith("redis://")


def test_the_probes_ask_for_routes_that_there_are() -> None:
    routes = build_app(ServeSettings.load()).routes
    port = PORTS["http"]
    for name in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = SERVER[name]["httpGet"]
        assert asked["port"] == "http"
        assert {"name": "Host", "value": "localhost"} in asked["httpHeaders"]
        scope = {"type": "http", "method": "GET", "path": asked["path"].partition("?")[0]}
        assert any(route.matches(scope)[0] is Match.FULL for route in routes), asked
    assert port == int(SERVER["env"][0]["value"]) == 7860
    asked_in_compose = COMPOSE["services"]["server"]["healthcheck"]["test"][-1]
    assert SERVER["readinessProbe"]["httpGet"]["path"] in asked_in_compose
    assert SERVER["readinessProbe"]["httpGet"]["path"] in (DEPLOY / "Caddyfile").read_text("utf-8")


def test_agents_reach_their_own_port_and_nothing_else() -> None:
    settings = read_settings(SERVER["args"])
    service = MANIFESTS["Service", settings.agent_name]["spec"]
    assert service["ports"] == [{"name": "agents", "port": settings.agent_port, "targetPort": "agents"}]
    assert PORTS["agents"] == settings.agent_port == 7861
    agents = MANIFESTS["NetworkPolicy", "cloud-incident-agent"]["spec"]
    assert set(agents["policyTypes"]) == {"Ingress", "Egress"}
    assert "ingress" not in agents
    door, names = agents["egress"]
    assert door["ports"] == [{"port": settings.agent_port, "protocol": "TCP"}]
    assert {port["port"] for port in names["ports"]} == {53}
    let_in = MANIFESTS["NetworkPolicy", "cloud-incident-server"]["spec"]["ingress"]
    assert {"from": [{"podSelector": agents["podSelector"]}], "ports": door["ports"]} in let_in

    settings = read_settings(COMPOSE["services"]["server"]["command"])
    shared = {name for name, kept in COMPOSE["services"].items() if "agents" in kept["networks"]}
    assert shared == {settings.agent_name}
    assert f"server:{settings.agent_port}" in COMPOSE["services"][settings.agent_name]["command"]


@pytest.mark.parametrize("command", [COMPOSE["services"]["server"]["command"], SERVER["args"]], ids=["compose", "pod"])
def test_what_servers_do_is_logged_and_counted(command: list[str]) -> None:
    settings = read_settings(command)
    assert (settings.log, settings.log_format) == ("episodes", "json")
    annotations = PODS["cloud-incident"]["metadata"]["annotations"]
    assert int(annotations["prometheus.io/port"]) == settings.metrics_port == PORTS["metrics"]
    (scraped,) = [
        rule["ports"]
        for rule in MANIFESTS["NetworkPolicy", "cloud-incident-server"]["spec"]["ingress"]
        if any("namespaceSelector" in peer for peer in rule.get("from", ()))
    ]
    assert scraped == [{"port": settings.metrics_port, "protocol": "TCP"}]


@pytest.mark.parametrize(
    "command",
    [COMPOSE["services"]["redis"]["command"], PODS["cloud-incident-redis"]["spec"]["containers"][0]["args"]],
    ids=["compose", "pod"],
)
def test_what_was_answered_is_on_the_disk_of_the_store(command: list[str]) -> None:
    options = dict(zip(command[1::2], command[2::2], strict=True))
    kept = {"--appendonly": "yes", "--appendfsync": "always", "--maxmemory-policy": "noeviction"}
    assert kept.items() <= options.items()


def test_every_selector_finds_its_pods() -> None:
    labels = {name: pod["metadata"]["labels"] for name, pod in PODS.items()}
    selectors: list[tuple[str, dict[str, str]]] = [
        (name, MANIFESTS["Service", name]["spec"]["selector"]) for name in PODS
    ]
    selectors += [(kept["metadata"]["name"], kept["spec"]["selector"]["matchLabels"]) for kept in (DEPLOYMENT, STORE)]
    budget = MANIFESTS["PodDisruptionBudget", "cloud-incident"]["spec"]["selector"]["matchLabels"]
    servers = MANIFESTS["NetworkPolicy", "cloud-incident-server"]["spec"]
    stores = MANIFESTS["NetworkPolicy", "cloud-incident-store"]["spec"]
    selectors += [
        ("cloud-incident", MANIFESTS["Service", "cloud-incident-agents"]["spec"]["selector"]),
        ("cloud-incident", budget),
        ("cloud-incident", servers["podSelector"]["matchLabels"]),
        ("cloud-incident-redis", servers["egress"][0]["to"][0]["podSelector"]["matchLabels"]),
        ("cloud-incident-redis", stores["podSelector"]["matchLabels"]),
        ("cloud-incident", stores["ingress"][0]["from"][0]["podSelector"]["matchLabels"]),
    ]
    for name, selector in selectors:
        assert [pod for pod, given in labels.items() if selector.items() <= given.items()] == [name]
    scaled = MANIFESTS["HorizontalPodAutoscaler", "cloud-incident"]["spec"]["scaleTargetRef"]
    assert (scaled["kind"], scaled["name"]) == (DEPLOYMENT["kind"], DEPLOYMENT["metadata"]["name"])
    assert read_settings(SERVER["args"]).store.partition("://")[2].partition(":")[0] == STORE["metadata"]["name"]


@pytest.mark.parametrize("pod", PODS.values(), ids=PODS)
def test_no_container_is_root_or_can_write_to_its_image(pod: dict[str, Any]) -> None:
    spec = pod["spec"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert not spec["automountServiceAccountToken"]
    for container in spec["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]


def test_a_pod_has_time_to_end_what_runs() -> None:
    pause = SERVER["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pause + 5 < PODS["cloud-incident"]["spec"]["terminationGracePeriodSeconds"]
