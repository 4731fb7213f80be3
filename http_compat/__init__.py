"""The OpenEnv surface: REST, WebSocket, the Task API and OpenEnv's plain JSON-RPC, over the episode service."""
