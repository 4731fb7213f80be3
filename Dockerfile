# Any base with Python 3.11 and its venv module works. Both stages of the image need the same base.
ARG BASE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE} AS installer
# Use the certificates and the interpreter of the base, because they fit its network.
ENV UV_SYSTEM_CERTS=1 UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy
RUN python3 -m venv /uv && /uv/bin/pip install --no-cache-dir uv==0.13.9
WORKDIR /src

# Not part of the image: runs OpenEnv's own validator on this tree (--target validate).
FROM installer AS validate
COPY . .
# The validator and what it needs are in a cache, because they are larger than the image.
RUN --mount=type=cache,target=/root/.cache/uv \
    /uv/bin/uv tool run --from openenv==0.10.0 openenv validate --level static --skip-build /src

FROM installer AS build
ENV UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1 UV_PROJECT_ENVIRONMENT=/app/.venv
# Dependencies change seldom, so they have a layer of their own, which stays valid when the sources change.
COPY pyproject.toml uv.lock ./
RUN /uv/bin/uv sync --locked --no-dev --extra evaluate --extra redis --no-editable --no-install-project
COPY . .
# OpenEnv's sandboxes start an image by the manifest and the files that it names.
RUN /uv/bin/uv sync --locked --no-dev --extra evaluate --extra redis --no-editable && rm /app/.venv/.lock && cp -r openenv.yaml server /app

FROM ${BASE}
LABEL org.opencontainers.image.title="Cloud Incident" \
      org.opencontainers.image.description="Cloud incident response, simulated exactly: an MCP tool server and OpenEnv environment"
ENV PATH=/app/.venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# People expect 7860, and OpenEnv's own tools expect 8000. A single number works too.
ENV PORT="7860 8000"
EXPOSE 7860 8000
# A number lets a host see that the user is not root. Any other number works too.
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT'].split()[0]), timeout=4); c.request('GET', '/health'); sys.exit(c.getresponse().status != 200)"]
CMD ["cloud-incident", "serve", "--host", "0.0.0.0"]
COPY --from=build /app /app
