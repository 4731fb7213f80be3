"""The MCP surface: tools, resources, prompts and completion over the episode service."""

from mcp_server.server import Profile, build_server

__all__ = ["Profile", "build_server"]
