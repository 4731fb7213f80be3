# Any base with Python 3.11 and its venv module will do, the same for both stages that make the image.
ARG BASE=docker.io/library/python:3.11-slim-bookworm

# Not in the image: what OpenEnv's own validator says of this tree (--target validate).
FROM ${BASE} AS validate
RUN python3 -m venv /openenv && /openenv/bin/pip install --no-cache-dir --no-compile openenv==0.10.0
COPY . /src
RUN /openenv/bin/openenv validate --level static --skip-build /src

FROM ${BASE} AS build
# The system's certificates and interpreter: a base knows its network better than uv does.
ENV UV_SYSTEM_CERTS=1 UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1 UV_PROJECT_ENVIRONMENT=/app/.venv
RUN python3 -m venv /uv && /uv/bin/pip install --no-cache-dir uv==0.13.9
WORKDIR /src
# Dependencies change seldom: a layer of their own, which a change of the sources leaves alone.
COPY pyproject.toml uv.lock ./
RUN /uv/bin/uv sync --locked --no-dev --no-editable --no-install-project
COPY . .
# The manifest and what it names are for the sandboxes that OpenEnv rents: they start an image by them.
RUN /uv/bin/uv sync --locked --no-dev --no-editable && rm /app/.venv/.lock && cp -r openenv.yaml server /app

FROM ${BASE}
LABEL org.opencontainers.image.title="Cloud Incident" \
      org.opencontainers.image.description="Cloud incident response, simulated exactly: an MCP tool server and OpenEnv environment"
ENV PATH=/app/.venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# 7860 is where people look, 8000 where OpenEnv's own tools do; a single number is as good.
ENV PORT="7860 8000"
EXPOSE 7860 8000
# A number, so that a host can see that it is not root; nothing depends on which.
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT'].split()[0]), timeout=4); c.request('GET', '/health'); sys.exit(c.getresponse().status != 200)"]
CMD ["cloud-incident", "serve", "--host", "0.0.0.0"]
COPY --from=build /app /app
