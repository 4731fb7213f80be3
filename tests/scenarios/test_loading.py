"""Documents: errors name file, line, field and reason; YAML reads as version 1.2 does."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from cloud_incident.scaffold import write_scaffold
from scenarios.catalogue import Catalogue
from scenarios.document import DIAGNOSTIC_FIELDS
from scenarios.loading import MOST_PROBLEMS, DocumentError, load_document
from scenarios.progress import UNTOUCHED

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path, _ = write_scaffold(tmp_path / "search-slow.yaml")
    return path


def line_of(path: Path, text: str) -> int:
    return next(number for number, line in enumerate(path.read_text().splitlines(), 1) if text in line)


@pytest.mark.parametrize(
    ("before", "after", "field", "reason"),
    [
        ("severity: P2", "severity: P9", "truth.severity", "'P1', 'P2', 'P3' or 'P4'"),
        ("team: media", "teem: media", "services.image-service.teem", "Extra inputs are not permitted"),
        ("normal: 200, recent: [205", "normal: many, recent: [205", "normal", "valid number"),
        ("affected_services: [search-api]", "affected_services: [serch-api]", "alert.affected_services", "unknown"),
        ("service: catalog-indexer", "service: catalog-idx", "truth.service", "unknown service 'catalog-idx'"),
        ("families: [disk]", "families: [disc]", "truth.failure_mode.families", "unknown family 'disc'; known: memory"),
        ("search-store: [search-api]", "search-stor: [search-api]", "truth.spread", "unknown service 'search-stor'"),
        (
            "search-store: [search-api]",
            "search-store: [search]",
            "truth.spread.search-store.0",
            "unknown service 'search'",
        ),
        (
            "search-store: [search-api]",
            "storefront: [search-api]",
            "truth.spread",
            "nothing leads from catalog-indexer",
        ),
        ("search-store: [search-api]", "search-store: [catalog-indexer]", "truth.spread", "is the root cause"),
        ("  - restart_service search-store", "  - restart_service store", "plan.2", "unknown service 'store'"),
        (
            "execute_runbook_step verify_node_health",
            "execute_runbook_step pray",
            "plan.3",
            "not in the runbook catalogue",
        ),
        ("  - restart_service catalog-indexer", "  - query_logs catalog-indexer", "plan.1", "is not a remediation"),
        (
            "when: store_restarted_early",
            "when: [store_restarted_early, '!store_restarted_early']",
            "logs.1.when",
            "opposite",
        ),
        (
            "when: store_restarted_early",
            "when: [restart_service search-store, store_restarted_early]",
            "logs.1.when",
            "can never show",
        ),
        ("  - restart_service search-store", "  - scale_service search-store 6..2", "plan.2", "runs from 1 or more"),
        ("when: store_restarted_early", "when: store_restarted", "logs.1.when", "neither a plan step nor a harm"),
        (
            '- calls: {search-store: "degraded',
            '- calls: {search-stor: "degraded',
            "dependencies.1.calls",
            "does not call",
        ),
        (
            "[search-store/logs, search-store/metrics]",
            "[store/logs, search-store/metrics]",
            "certificates.0",
            "unknown",
        ),
    ],
)
def test_errors_name_file_line_field_and_reason(
    document: Path, before: str, after: str, field: str, reason: str
) -> None:
    text = document.read_text()
    assert before in text
    document.write_text(text.replace(before, after, 1))
    with pytest.raises(DocumentError) as refused:
        load_document(document)
    messages = str(refused.value).splitlines()
    wanted = [message for message in messages if field in message and reason in message]
    assert wanted, messages
    lines = {int(message.removeprefix(f"{document}:").split(":")[0]) for message in wanted}
    assert any(abs(line - line_of(document, after.splitlines()[0].strip())) <= 2 for line in lines)


def test_what_is_not_yaml_says_where(document: Path) -> None:
    document.write_text("incident: a: b")
    with pytest.raises(DocumentError, match=r"search-slow\.yaml:1: not YAML"):
        load_document(document)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "valid dictionary"),
        ("- a\n- b\n", "valid dictionary"),
        ("incident: !!int abc\n", "not a number"),
        ("incident: !!python/object:os.system x\n", "unknown tag"),
        (f"incident: {'9' * 5000}\n", "not a number"),
        ("incident: [" + "[" * 900, "more than 40 levels"),
        ("incident: \x00\n", "not YAML"),
    ],
)
def test_odd_documents_are_told_without_a_traceback(document: Path, content: str, said: str) -> None:
    document.write_text(content)
    with pytest.raises(DocumentError) as refused:
        load_document(document)
    assert str(refused.value).startswith(f"{document}:")
    assert said in str(refused.value)


def test_files_that_cannot_be_read(document: Path, tmp_path: Path) -> None:
    document.write_bytes(b"incident: caf\xe9\n")
    with pytest.raises(DocumentError, match="not UTF-8 at byte 13"):
        load_document(document)
    with pytest.raises(DocumentError, match="cannot be read"):
        load_document(tmp_path)


def test_numbers_are_decimal(document: Path) -> None:
    document.write_text(document.read_text().replace("normal: 12, recent: [12, 71", "normal: 012, recent: [089, 71"))
    assert "  12 " in load_document(document).evidence("check_metrics", "search-store", UNTOUCHED).text
    assert "89 71 " in load_document(document).evidence("check_metrics", "search-store", UNTOUCHED).text


def test_repeated_keys_are_errors(document: Path) -> None:
    document.write_text(document.read_text() + "incident: again\n")
    with pytest.raises(DocumentError, match="repeated key 'incident'"):
        load_document(document)


def test_on_and_times_are_text(document: Path) -> None:
    text = document.read_text()
    document.write_text(text.replace("uptime: 90 d", "uptime: 14:02").replace('version: "15.6"', "version: no"))
    shown = load_document(document).evidence("check_service_status", "catalog-db", UNTOUCHED).text
    assert "14:02" in shown
    assert "no" in shown.split()


def test_two_documents_cannot_share_an_id(document: Path, tmp_path: Path) -> None:
    (tmp_path / "z-copy.yaml").write_text(document.read_text())
    with pytest.raises(DocumentError, match="already called 'search-slow'"):
        _ = Catalogue([tmp_path]).incidents


def test_an_authors_directory_joins_the_curated_ones(document: Path, tmp_path: Path) -> None:
    catalogue = Catalogue([tmp_path])
    assert catalogue.at("remediation_planning", 3).id == "RP-SEARCH-SLOW"
    assert catalogue.at("root_cause_analysis", 3).id == "RCA-SEARCH-SLOW"
    assert document.exists()


def test_the_digest_is_of_the_content_and_not_of_its_layout(document: Path) -> None:
    first = load_document(document).digest
    document.write_text("# a comment\n" + document.read_text())
    assert load_document(document).digest == first
    document.write_text(document.read_text().replace("took=4412ms", "took=4413ms"))
    assert load_document(document).digest != first


def merge_maps(levels: int) -> str:
    """Maps of which each merges the one before nine times."""
    lines = ["a0: &a0 {k0: 1, k1: 1, k2: 1, k3: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, levels)]
    return "\n".join(lines)


def list_aliases(levels: int) -> str:
    """Lists of which each holds the one before nine times."""
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[" * 100_000, ":1: document: more than 40 levels"),
        ("{a: " * 30_000, ":1: document: more than 40 levels"),
        ("- " * 50_000, ":1: document: more than 40 levels"),
        ("? " * 50_000, ":1: document: more than 40 levels"),
        (merge_maps(9), ":6: document: more than 250,000 values, aliases included"),
        (list_aliases(10), ":6: document: more than 250,000 values, aliases included"),
        ("a: &a [1, *a]", ":1: document: alias 'a' stands in its own value"),
        ("a: &a {b: *a}", ":1: document: alias 'a' stands in its own value"),
        ("- 1\n" * 250_001, ":250000: document: more than 250,000 values"),
        ("a" * ((4 << 20) + 1), ":1: document: larger than 4 MiB"),
        ("a: \ud800".encode("utf-8", "surrogatepass"), ":1: document: not UTF-8"),
    ],
)
def test_documents_that_are_too_much_are_refused_where_that_shows(
    document: Path, content: str | bytes, said: str
) -> None:
    document.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DocumentError) as refused:
        load_document(document)
    assert str(refused.value).startswith(f"{document}{said}")


def test_a_pipe_is_no_document_and_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    with pytest.raises(DocumentError, match=r"pipe\.yaml:1: document: not a regular file"):
        load_document(pipe)


def test_aliases_and_merges_of_a_usual_size_are_read(document: Path) -> None:
    content = read_plain(document)
    own = content["services"]["search-store"]
    own["logs"] = content["services"]["storefront"]["logs"]
    plain = json.dumps(content)
    aliased = yaml.safe_dump(content, sort_keys=False)
    assert "logs: &id001" in aliased
    merged = aliased.replace("\n  search-store:\n", "\n  search-store:\n    <<: {printed: ''}\n")
    assert "<<:" in merged
    digests = set()
    for text in (plain, aliased, merged):
        document.write_text(text)
        digests.add(load_document(document).digest)
    assert len(digests) == 1


def read_plain(document: Path) -> dict[str, Any]:
    return load_document(document).document.model_dump(mode="json", exclude_defaults=True)


@pytest.mark.slow
def test_of_many_problems_the_first_are_told(document: Path) -> None:
    keys = [f"unknown_key_{number}: 1" for number in range(20_000)]
    document.write_text("\n".join([document.read_text(), *keys]))
    first = line_of(document, "unknown_key_0:")
    with pytest.raises(DocumentError) as refused:
        load_document(document)
    messages = str(refused.value).splitlines()
    assert len(messages) == MOST_PROBLEMS + 1
    assert messages[0] == f"{document}:{first}: unknown_key_0: Extra inputs are not permitted"
    assert messages[-1] == f"{document}:{first + MOST_PROBLEMS}: document: 19,950 or more problems follow"


ITEMS = ", ".join(f"search-store/{field}" for field in DIAGNOSTIC_FIELDS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"shows": "1-999999999"}, "shows: 100,000 is the highest line"),
        ({"shows": f"1-{'9' * 5000}"}, "shows: 100,000 is the highest line"),
        ({"shows": "5-3"}, "shows: a range of lines runs upwards, as in 3-5"),
        ({"shows": " ".join(["1-100000"] * 2)}, "shows: comes to more than 100,000 lines"),
        ({"certificates": [[ITEMS.split(", ")] * 12]}, "sets of evidence, counting every choice; 1,000 are the most"),
        ({"services": 201}, "services; 200 are the most"),
    ],
)
def test_what_few_words_make_larger_than_any_incident_is_refused(
    document: Path, changes: dict[str, Any], said: str
) -> None:
    content = read_plain(document)
    services = content["services"]
    if "shows" in changes:
        services["search-store"]["logs"] = [{"shows": changes["shows"]}]
    if "certificates" in changes:
        content["certificates"] = changes["certificates"]
    for number in range(changes.get("services", 0)):
        services[f"service-{number}"] = services["search-store"]
    document.write_text(json.dumps(content))
    with pytest.raises(DocumentError, match=re.escape(said)):
        load_document(document)
