"""The MCP surface: tools, resources, prompts and completion over the episode service."""

from mcp_server.server import build_server

__all__ = ["build_server"]
