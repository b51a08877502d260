# One image recipe, four targets: ingest, consumer, query, migrate. They share every layer but their metadata.
#
#   docker build --target query -t adledger-query .
#
# Base images are arguments, so that a release pins them by digest and a closed network names its own mirror.
ARG PYTHON_IMAGE=python:3.12-slim

FROM ${PYTHON_IMAGE} AS build
ENV PIP_CACHE_DIR=/var/cache/pip
WORKDIR /build
RUN python -m venv /opt/adledger && python -m venv /opt/tools
# The requirements first: a change of code leaves these layers, the slow ones, as they are.
COPY requirements.txt requirements-build.txt ./
RUN --mount=type=cache,target=/var/cache/pip \
    /opt/adledger/bin/pip install --disable-pip-version-check --no-compile --require-hashes -r requirements.txt && \
    python -m compileall -q -j 0 /opt/adledger/lib
RUN --mount=type=cache,target=/var/cache/pip \
    /opt/tools/bin/pip install --disable-pip-version-check --require-hashes -r requirements-build.txt
COPY pyproject.toml README.md LICENSE ./
COPY shared shared
COPY services services
RUN /opt/tools/bin/hatchling build -t wheel -d /build/dist && \
    /opt/adledger/bin/pip install --disable-pip-version-check --no-deps --no-index dist/*.whl && \
    /opt/adledger/bin/pip uninstall --yes --quiet pip

FROM ${PYTHON_IMAGE} AS runtime
RUN groupadd --gid 10001 adledger && \
    useradd --uid 10001 --gid adledger --no-create-home --home-dir /var/lib/adledger --shell /usr/sbin/nologin adledger && \
    install -d -o adledger -g adledger -m 0750 /var/lib/adledger
COPY --from=build /opt/adledger /opt/adledger
ENV PATH=/opt/adledger/bin:${PATH} \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ADLEDGER_HOST=0.0.0.0 \
    ADLEDGER_DATA_DIR=/var/lib/adledger
# By number, so that Kubernetes can tell that it is not root.
USER 10001:10001
WORKDIR /var/lib/adledger
ENTRYPOINT ["adledger"]
ARG VERSION=0.0.0
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.version=${VERSION} \
      org.opencontainers.image.revision=${REVISION} \
      org.opencontainers.image.source=${SOURCE} \
      org.opencontainers.image.licenses=MIT

FROM runtime AS migrate
LABEL org.opencontainers.image.title="adledger migrate" \
      org.opencontainers.image.description="Brings the database's schema up to date, and ends."
CMD ["migrate"]

FROM runtime AS ingest
LABEL org.opencontainers.image.title="adledger ingest" \
      org.opencontainers.image.description="Takes uploads over HTTP and puts them on the queue."
EXPOSE 8001
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8001/health/ready', timeout=4)"]
CMD ["serve", "ingest"]

FROM runtime AS consumer
LABEL org.opencontainers.image.title="adledger consumer" \
      org.opencontainers.image.description="Takes batches off the queue into the database: its only writer."
EXPOSE 8003
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8003/health/ready', timeout=4)"]
CMD ["consume"]

FROM runtime AS query
LABEL org.opencontainers.image.title="adledger query" \
      org.opencontainers.image.description="Answers reads from the database."
EXPOSE 8002
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8002/health/ready', timeout=4)"]
CMD ["serve", "query"]
