# syntax=docker/dockerfile:1
# The service, the worker and every command in one image:  docker build --tag leadyard .
#
# The base has a tag, because its digest changes with every fix of the base system. For a reproducible image, pin the
# digest:  docker build --build-arg BASE=python:3.13-slim-bookworm@sha256:...
ARG BASE=python:3.13-slim-bookworm

# hadolint ignore=DL3006
FROM ${BASE} AS build
WORKDIR /build
COPY requirements-runtime.lock requirements-build.lock ./
# Locked versions with hashes, and only wheels, so the build runs no downloaded code except hatchling and its
# dependencies. These are locked too, and exist only in this stage.
RUN python -m venv --without-pip /opt/leadyard \
 && pip --python /opt/leadyard/bin/python install --no-cache-dir --only-binary :all: --require-hashes \
      --requirement requirements-runtime.lock \
 && pip install --no-cache-dir --only-binary :all: --require-hashes --requirement requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir dist . \
 && pip --python /opt/leadyard/bin/python install --no-cache-dir --no-deps dist/*.whl

# hadolint ignore=DL3006
FROM ${BASE}
LABEL org.opencontainers.image.title="Leadyard" \
      org.opencontainers.image.description="Lists of leads with a move that is atomic, exact and fast" \
      org.opencontainers.image.licenses="Apache-2.0"
# A number, so that an orchestrator can check that it is not root.
RUN groupadd --gid 10001 leadyard \
 && useradd --uid 10001 --gid leadyard --no-create-home --home-dir /var/lib/leadyard --shell /usr/sbin/nologin leadyard \
 && install --directory --owner=leadyard --group=leadyard --mode=0700 /var/lib/leadyard
COPY --from=build /opt/leadyard /opt/leadyard
ENV PATH=/opt/leadyard/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LEADYARD_HOST=0.0.0.0 \
    LEADYARD_PORT=8000 \
    LEADYARD_ADMIN_PORT=9000 \
    LEADYARD_DATA_DIR=/var/lib/leadyard
USER 10001:10001
# Leadyard writes only here and to /tmp. Everything else may be read-only.
VOLUME /var/lib/leadyard
WORKDIR /var/lib/leadyard
EXPOSE 8000
# Checks the process, not the database: restarting the container does not fix an unreachable database. Uses neither a
# shell nor curl, which an image may lack.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-I", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['LEADYARD_ADMIN_PORT'] + '/livez', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["leadyard"]
CMD ["serve"]
