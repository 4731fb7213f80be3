"""The command line: one module for each command, imported when its command is run."""

import click

from cloud_incident.cli.group import LazyCommand, LazyGroup

COMMANDS = {
    "audit": LazyCommand(
        "cloud_incident.cli.audit", "Measure the environment: OpenEnv's checks on generated incidents."
    ),
    "demo": LazyCommand("cloud_incident.cli.demo", "Play a whole incident over stdio and print it."),
    "episodes": LazyCommand("cloud_incident.cli.episodes", "List, show, export, fork and prune stored episodes."),
    "evaluate": LazyCommand("cloud_incident.cli.evaluate", "Play agents against scenarios and measure them."),
    "generate": LazyCommand("cloud_incident.cli.generate", "Write generated incidents down as files that last."),
    "lint": LazyCommand("cloud_incident.cli.lint", "Check incidents and play them."),
    "mcp": LazyCommand("cloud_incident.cli.mcp", "Run the MCP server."),
    "new": LazyCommand(
        "cloud_incident.cli.new", "Write a small incident that passes lint, and the schema for editors."
    ),
    "replay": LazyCommand("cloud_incident.cli.replay", "Print trajectories step by step and verify that they replay."),
    "serve": LazyCommand("cloud_incident.cli.serve", "Serve everything on one port: REST, WebSocket, MCP."),
    "show": LazyCommand("cloud_incident.cli.show", "Print everything about one incident, the truth included."),
    "tokens": LazyCommand("cloud_incident.cli.tokens", "Make, list and remove the tokens that a server asks for."),
}


@click.group(
    cls=LazyGroup,
    lazy_commands=COMMANDS,
    context_settings={"auto_envvar_prefix": "CLOUD_INCIDENT", "help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="cloud-incident", prog_name="cloud-incident")
def main() -> None:
    """Cloud incident response, simulated exactly, for LLM agents."""
