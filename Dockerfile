# The service as an image. docs/containers.md says what is promised, scripts/prove-image tries it without an engine.

ARG PYTHON_VERSION=3.13

# -- what is needed to build; nothing of it is in the image but /opt/belref -----------------------

FROM python:${PYTHON_VERSION}-alpine AS builder

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /build

# The secret is optional: a pip.conf that names a mirror of the package index.
COPY requirements/run.txt requirements/build.txt requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    python -m venv --without-pip /opt/belref \
 && pip --python /opt/belref/bin/python install --no-compile --require-hashes --only-binary :all: -r requirements/run.txt \
 && pip install --no-compile --require-hashes --only-binary :all: -r requirements/build.txt

COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
 && pip --python /opt/belref/bin/python install --no-cache-dir --no-compile --no-deps dist/*.whl \
 && python -m compileall -q -j 0 /opt/belref

# -- the image ------------------------------------------------------------------------------------

FROM python:${PYTHON_VERSION}-alpine

# The base image has pip, and a library without bytecode: every start and every health check would compile it anew,
# because nothing can be written at run time.
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3*/ensurepip /usr/local/lib/python3*/site-packages/pip* \
 && python -m compileall -q -j 0 /usr/local/lib

COPY --from=builder /opt/belref /opt/belref

ENV PATH=/opt/belref/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=5000

# Fails the build, and not the start, when a package does not load on this platform.
RUN belref index latest --base-year 2013 && python -c "import hiredis, httptools, psycopg, uvloop"

ARG REVISION=unknown
LABEL org.opencontainers.image.title="belref" \
      org.opencontainers.image.description="The Belgian health index and the risk factor of a Belgian zipcode" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="MIT"

WORKDIR /opt/belref
USER 10001:10001
EXPOSE 5000
STOPSIGNAL SIGTERM

# Of the standard library alone: `belref` itself takes ten times as long to load. The short interval at the start lets
# whoever waits for the service go on at once.
HEALTHCHECK --interval=30s --timeout=3s --start-period=60s --start-interval=1s --retries=3 \
  CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=2); c.request('GET', '/health/live'); sys.exit(c.getresponse().status != 200)"]

CMD ["belref", "serve"]
