# The bridge and the simulators in one image: `ocpp-bridge` is what it runs, `ocpp-sim` is beside it.
# Everything is written below /var/lib/ocpp-bridge and /tmp, so the root may be read-only.

FROM python:3.11.14-slim-bookworm AS wheel
WORKDIR /build
COPY requirements.lock ./
RUN python -m venv /tools \
    && /tools/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY bridge ./bridge
COPY csms ./csms
COPY simulators ./simulators
COPY config/demo/bridge.toml ./config/demo/
RUN /tools/bin/python -m hatchling build --target wheel --directory /wheels

FROM python:3.11.14-slim-bookworm AS install
COPY requirements-image.lock /tmp/requirements-image.lock
COPY --from=wheel /wheels /wheels
RUN python -m venv --without-pip /opt/ocpp-bridge \
    && pip --python /opt/ocpp-bridge/bin/python install --no-cache-dir --disable-pip-version-check \
       --only-binary :all: --require-hashes --requirement /tmp/requirements-image.lock \
    && pip --python /opt/ocpp-bridge/bin/python install --no-cache-dir --disable-pip-version-check \
       --no-deps --no-index /wheels/*.whl

FROM python:3.11.14-slim-bookworm
LABEL org.opencontainers.image.title="ocpp-bridge" \
      org.opencontainers.image.description="An OCPP central system that keeps every roaming hub in agreement." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --system --gid 10001 ocpp-bridge \
    && useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/ocpp-bridge --shell /usr/sbin/nologin ocpp-bridge \
    && install --directory --owner 10001 --group 10001 --mode 0700 /var/lib/ocpp-bridge \
    && install --directory /etc/ocpp-bridge
COPY --from=install /opt/ocpp-bridge /opt/ocpp-bridge
ENV PATH=/opt/ocpp-bridge/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    BRIDGE_STATE_DIR=/var/lib/ocpp-bridge
# A bridge.toml that is mounted here is found without being named.
WORKDIR /etc/ocpp-bridge
VOLUME ["/var/lib/ocpp-bridge"]
EXPOSE 9000 8080
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["ocpp-bridge", "health"]
ENTRYPOINT ["ocpp-bridge"]
CMD ["serve"]
