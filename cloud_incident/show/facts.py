"""The facts of an incident, the truth included, as JSON. Authored and generated incidents have the same keys.

What only a generated incident records (kinds of services, onset, journeys, decoys) is empty for an authored one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from scenarios.document import DIAGNOSTIC_FIELDS
from scenarios.generator.impact import hits
from scenarios.generator.incident import GeneratedIncident
from scenarios.incident import count_fewest_steps
from scenarios.progress import UNTOUCHED
from scenarios.vocabulary import SEVERITY_MATRIX, Dependencies, Deploys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenarios.catalogue import Scenario
    from scenarios.generator.scene import Scene
    from scenarios.incident import Incident
    from scenarios.progress import PlanStep

NEAR_HOURS = 3
"""Changes up to this many hours before the alert, and all after it, are on the timeline."""

_FIELDS = {diagnostic: field for field, diagnostic in DIAGNOSTIC_FIELDS.items()}


def collect_facts(scenario: Scenario) -> dict[str, Any]:
    """Everything about a scenario and its incident, ready for JSON."""
    incident, task = scenario.incident, scenario.task
    scene = incident.scene if isinstance(incident, GeneratedIncident) else None
    return {
        "scenario_id": scenario.id,
        "task_id": task.id,
        "incident_id": incident.id,
        "difficulty": scenario.difficulty,
        "scenarios": dict(incident.scenarios),
        "summary": incident.summary,
        "alert": dict(incident.alert),
        "services": _describe_services(incident, scene),
        "timeline": sorted(_iterate_timeline(incident, scene), key=lambda event: event["at"]),
        "severity": {
            "level": incident.truth.severity,
            "means": next(means for level, _, means in SEVERITY_MATRIX if level == incident.truth.severity),
            "journeys": _measure_journeys(scene) if scene else [],
        },
        "truth": {
            "service": incident.truth.service,
            "family": scene.fault.family.family if scene else "",
            "title": scene.fault.family.title if scene else "",
            "mechanism": scene.fault.family.mechanism if scene else "",
            "failure_families": sorted(incident.truth.families),
            "answer": incident.truth.answer,
            "concepts": [list(group) for group in incident.truth.concepts],
            "chain": list(incident.account.chain),
        },
        "certificates": [
            sorted(f"{service}/{_FIELDS[diagnostic]}" for diagnostic, service in certificate)
            for certificate in incident.certificates(task.id)
        ],
        "fewest_steps": count_fewest_steps(incident, task),
        "plan": [[_describe_step(step) for step in stage] for stage in incident.plan.stages],
        "tempting": [{"move": harm.on, "means": harm.means} for harm in incident.plan.harms],
    }


def _describe_services(incident: Incident, scene: Scene | None) -> list[dict[str, Any]]:
    """For each service: what it calls, how healthy each call path is, and the parts that the service has."""
    services = []
    for service in incident.services:
        shown = incident.evidence("check_dependencies", service, UNTOUCHED)
        paths = shown.calls if isinstance(shown, Dependencies) else ()
        node = scene.world.nodes[scene.world.index[service]] if scene else None
        platform, takers = _find_platform(scene, service) if scene else (frozenset(), frozenset())
        services.append(
            {
                "service": service,
                "kind": node.kind if node else "",
                "calls": [
                    {"service": path.service, "health": path.health, "detail": path.detail}
                    for path in paths
                    if path.service not in platform | takers
                ],
                "uses": sorted(platform),
                "marks": _mark_service(incident, scene, service),
            }
        )
    return services


def _find_platform(scene: Scene, service: str) -> tuple[frozenset[str], frozenset[str]]:
    """What a service uses beside its requests: the platform, and for a broker those who take messages from it."""
    nodes, index = scene.world.nodes, scene.world.index[service]
    calls = scene.world.calls[index]
    platform = frozenset(nodes[call.callee].name for call in calls if call.platform)
    takers = frozenset(nodes[call.caller].name for call in scene.world.callers[index])
    broker = nodes[index].kind == "queue"
    return platform, takers - {nodes[call.callee].name for call in calls} if broker else frozenset()


def _mark_service(incident: Incident, scene: Scene | None, service: str) -> list[str]:
    """The parts that a service has: `root`, `paged`, `alerted`, `affected`, and which kind of decoy it is."""
    alerted = incident.alert["affected_services"]
    marks = ["root"] if service in {cause.service for cause in incident.truth.causes} else []
    paged = scene.world.nodes[scene.paged].name if scene else alerted[0]
    if service == paged:
        marks.append("paged")
    elif service in alerted:
        marks.append("alerted")
    if scene is None:
        plan = frozenset(step.step for step in incident.plan.steps)
        if "root" not in marks and any(
            incident.evidence(diagnostic, service, UNTOUCHED).text != incident.evidence(diagnostic, service, plan).text
            for diagnostic in DIAGNOSTIC_FIELDS.values()
        ):
            marks.append("affected")
        return marks
    index, background = scene.world.index[service], scene.background
    found = scene.first.simulation.at(index, scene.fault.now)
    if (
        "root" not in marks
        and (found is not None or index in scene.fault.strained)
        and scene.fault.family.spread != "alert"
    ):
        marks.append("affected")
    if index in background.shadows:
        marks.append(f"decoy: signs of {background.shadows[index].family}")
    if index in background.anomalies:
        marks.append("decoy: harmless anomaly")
    if index in background.chronic:
        marks.append("chronic noise")
    if index in background.silent:
        marks.append("logs lost")
    return marks


def _iterate_timeline(incident: Incident, scene: Scene | None) -> Iterator[dict[str, str]]:
    fired = incident.alert["fired_at"]
    near = _format_time(_parse_time(fired) - timedelta(hours=NEAR_HOURS))
    if scene is not None:
        yield {
            "at": scene.moment(0),
            "what": "onset",
            "service": incident.truth.service,
            "text": scene.fault.family.title,
        }
    yield {"at": fired, "what": "alert", "service": "", "text": incident.alert["name"]}
    now = ""
    for service in incident.services:
        shown = incident.evidence("check_recent_deploys", service, UNTOUCHED)
        now = max(now, shown.as_of)
        for change in shown.history if isinstance(shown, Deploys) else ():
            if change.at >= near:
                text = f"{change.kind} {change.version} by {change.by}: {change.note}"
                yield {"at": change.at, "what": "change", "service": service, "text": text}
    yield {"at": now, "what": "now", "service": "", "text": "on-call looks for the first time"}


def _parse_time(moment: str) -> datetime:
    return datetime.fromisoformat(moment).astimezone(UTC)


def _format_time(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%MZ")


def _measure_journeys(scene: Scene) -> list[dict[str, Any]]:
    """How each user journey goes at the moment when on-call looks for the first time."""
    return [
        {
            "journey": hit.journey.name,
            "class": hit.journey.kind,
            "entry": scene.world.nodes[hit.journey.entry].name,
            "failing_percent": round(100 * hit.failing, 1),
            "times_slower": round(hit.slower, 1),
        }
        for hit in hits(scene, scene.fault.now)
    ]


def _describe_step(step: PlanStep) -> str:
    bounds = f" to {step.replicas[0]}..{step.replicas[1]} replicas" if step.replicas else ""
    return f"{step.step}{bounds}{' (verifies)' if step.verify else ''}"
