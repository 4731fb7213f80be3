"""Settings: given by flags, variables and a file in this order, and refused with the place that they came from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
from click.testing import CliRunner

from cloud_incident.cli import COMMANDS, main
from cloud_incident.settings.mcp import McpSettings, Profile, Transport
from cloud_incident.settings.serve import ServeSettings
from cloud_incident.settings.sources import TABLES, InvalidSettingsError
from http_compat.surface import Mode

if TYPE_CHECKING:
    from cloud_incident.settings.base import Settings

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
SALT = "correct horse battery staple"


def write_file(directory: Path, text: str) -> Path:
    file = directory / "settings.toml"
    file.write_text(text, "utf-8")
    return file


def refusal(settings: type[Settings], **flags: Any) -> str:
    with pytest.raises(InvalidSettingsError) as refused:
        settings.load(**flags)
    return str(refused.value)


def find_command(name: str) -> click.Command:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    return command


def test_flags_go_before_variables_and_these_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_file(tmp_path, "[serve]\ncapacity = 1\nidle_seconds = 1\nmax_sessions = 1\nhost = '10.0.0.1'\n")
    monkeypatch.setenv("CLOUD_INCIDENT_CONFIG", str(file))
    monkeypatch.setenv("CLOUD_INCIDENT_CAPACITY", "2")
    monkeypatch.setenv("CLOUD_INCIDENT_IDLE_SECONDS", "2")
    monkeypatch.setenv("CLOUD_INCIDENT_MAX_SESSIONS", "2")
    monkeypatch.setenv("CLOUD_INCIDENT_SERVE_CAPACITY", "3")
    monkeypatch.setenv("CLOUD_INCIDENT_SERVE_IDLE_SECONDS", "3")
    settings = ServeSettings.load(capacity=4)
    assert (settings.capacity, settings.idle_seconds, settings.max_sessions) == (4, 3, 2)
    assert settings.host == "10.0.0.1"
    assert settings.shared_default
    assert McpSettings.load().capacity == 2


@pytest.mark.parametrize(
    ("variables", "name", "value"),
    [
        ({"PORT": "7000 8000"}, "port", (7000, 8000)),
        ({"PORT": "7000", "CLOUD_INCIDENT_SERVE_PORT": "8000"}, "port", (8000,)),
        ({"OPENENV_MODE": "PRODUCTION", "CLOUD_INCIDENT_SERVE_MODE": "simulation"}, "mode", Mode.PRODUCTION),
        ({"CLOUD_INCIDENT_SERVE_MODE": "production"}, "mode", Mode.PRODUCTION),
        ({"CLOUD_INCIDENT_SERVE_MOST_SESSIONS": "7"}, "max_sessions", 7),
        ({"CLOUD_INCIDENT_SERVE_ALLOW_HOST": "a.example *.b"}, "allow_host", ("a.example", "*.b")),
        ({"CLOUD_INCIDENT_SERVE_MODEL_ENDPOINTS": "1"}, "model_endpoints", True),
        ({"CLOUD_INCIDENT_SERVE_SHARED_DEFAULT": "no"}, "shared_default", False),
        ({"CLOUD_INCIDENT_SERVE_SHARED_DEFAULT": ""}, "shared_default", True),
        ({"CLOUD_INCIDENT_SERVE_SCENARIOS": "/:/tmp"}, "scenarios", (Path("/"), Path("/tmp"))),  # noqa: S108 - is there
        ({"SPACE_HOST": "somebody.hf.space"}, "space_host", "somebody.hf.space"),
    ],
)
def test_variables_are_understood(
    variables: dict[str, str], name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, text in variables.items():
        monkeypatch.setenv(variable, text)
    assert getattr(ServeSettings.load(), name) == value


def test_the_mcp_server_has_variables_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "7000")
    monkeypatch.setenv("CLOUD_INCIDENT_MCP_TRANSPORT", "streamable-http")
    monkeypatch.setenv("CLOUD_INCIDENT_MCP_PROFILE", "agent")
    settings = McpSettings.load()
    assert (settings.port, settings.transport, settings.profile) == ((7860,), Transport.STREAMABLE_HTTP, Profile.AGENT)
    assert settings.selection is not None


def test_a_file_has_a_table_for_each_command_and_paths_from_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "salt").write_text(SALT)
    (tmp_path / "mine").mkdir()
    (tmp_path / "runs").mkdir()
    text = (
        "scenarios = ['mine']\nsalt_file = 'salt'\n[mcp]\ntransport = 'sse'\n[serve]\nport = 1\nevaluations = 'runs'\n"
    )
    file = write_file(tmp_path, text)
    serve, mcp = ServeSettings.load(config=file), McpSettings.load(config=file)
    assert serve.scenarios == mcp.scenarios == (tmp_path / "mine",)
    assert serve.secret_salt == mcp.secret_salt
    assert serve.secret_salt is not None
    assert (serve.port, serve.evaluations, mcp.transport) == ((1,), tmp_path / "runs", Transport.SSE)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[serve]\ncolour = 1", ("[serve]", "colour", "capacity")),
        ("colour = 1", ("settings.toml", "colour", "scenarios")),
        ("[server]\nport = 1", ("server", "Did you mean serve?", "serve, show")),
        ("prot = 1", ("prot", "Did you mean port?")),
        ("port = 'x'", ("port", "valid integer", "not 'x'")),
        ("[serve]\nmode = 'simulator'", ("'simulator'. Did you mean simulation?",)),
        ("[serve]\nevaluations = 'nowhere'", ("evaluations", "Path does not point to a directory", "/nowhere'.")),
        ("port = ", ("settings.toml", "not TOML")),
        ("serve = 1", ("serve",)),
        ("[serve]\ncapacity = 0", ("capacity", "settings.toml", "greater than or equal to 1", "not 0")),
        ("[serve]\nmode = 'prod'", ("mode", "settings.toml", "'simulation' or 'production'", "'prod'")),
        ("salt_file = 'nowhere'", ("salt_file", "settings.toml", "nowhere cannot be read")),
    ],
)
def test_a_file_that_is_wrong_is_refused(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    refused = refusal(ServeSettings, config=write_file(tmp_path, text))
    assert all(word in refused for word in words), refused
    assert "\n" not in refused


def test_a_refusal_names_every_setting_and_where_it_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "7000 80000")
    monkeypatch.setenv("CLOUD_INCIDENT_SCENARIOS", "/nowhere")
    refused = refusal(ServeSettings, capacity=0).splitlines()
    assert [line.partition(":")[0] for line in refused] == [
        "scenarios (from the variable CLOUD_INCIDENT_SCENARIOS)",
        "capacity (from --capacity)",
        "port (from the variable PORT)",
    ]


def test_a_missing_file_is_refused() -> None:
    assert "/nowhere.toml cannot be read" in refusal(McpSettings, config=Path("/nowhere.toml"))


@pytest.mark.parametrize("name", ["CLOUD_INCIDENT_SALT", "CLOUD_INCIDENT_SERVE_SALT_FILE"])
def test_a_secret_is_never_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    file = tmp_path / "salt"
    monkeypatch.setenv(name, str(file) if name.endswith("FILE") else SALT)
    file.write_text(SALT)
    settings = ServeSettings.load()
    assert settings.secret_salt is not None
    for text in (repr(settings), str(settings), settings.model_dump_json()):
        assert "horse" not in text
    monkeypatch.setenv(name, str(file) if name.endswith("FILE") else "hunter2")
    file.write_text("hunter2")
    refused = refusal(ServeSettings)
    assert name in refused
    assert "7 bytes" in refused
    assert "hunter2" not in refused


def test_the_command_line_reports_what_is_wrong() -> None:
    result = CliRunner().invoke(main, ["serve"], env={"OPENENV_MODE": "prod"})
    assert result.exit_code == 2
    assert "mode (from the variable OPENENV_MODE): Input should be 'simulation' or 'production', not 'prod'." in (
        " ".join(result.output.split())
    )


@pytest.mark.parametrize(("name", "settings"), [("serve", ServeSettings), ("mcp", McpSettings)])
def test_every_setting_is_an_option(name: str, settings: type[Settings]) -> None:
    options = {option.name: option for option in find_command(name).params}
    assert set(options) == set(settings.model_fields) - {"space_host"}
    for setting in options:
        option = options[setting]
        assert isinstance(option, click.Option)
        assert option.help == settings.model_fields[str(setting)].description


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_each_says_of_itself(name: str) -> None:
    command = find_command(name)
    assert (command.help or "").partition("\n\n")[0] == COMMANDS[name].summary
    commands = command.commands.values() if isinstance(command, click.Group) else [command]
    assert all((name in TABLES) == any(option.name == "config" for option in each.params) for each in commands)


def test_the_file_that_the_readme_shows_is_valid(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    (tmp_path / "salt").write_text(SALT)
    settings = ServeSettings.load(config=write_file(tmp_path, shown))
    assert (settings.port, settings.idle_seconds) == ((7860, 8000), 600)
