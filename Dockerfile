# The builder makes a virtual environment with Stancewire in it; only that reaches the final image.
FROM python:3.11-slim-bookworm AS builder

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore

RUN python -m venv --without-pip /opt/stancewire

# Torch for Linux brings several gigabytes of CUDA libraries unless it comes from PyTorch's index of
# CPU builds; pytorch.org tells its address. Only torch itself comes from there; what it needs is
# installed with all the rest. The version is the one that pyproject.toml pins.
ARG TORCH_INDEX_URL
ENV TORCH=/opt/stancewire/lib/python3.11/site-packages/torch
RUN PIP_INDEX_URL="${TORCH_INDEX_URL}" \
        pip --python /opt/stancewire/bin/python install --no-compile --no-deps torch==2.13.0 \
    && if ! grep -q '^cuda.*= None' "${TORCH}/version.py"; then \
        echo "This is no CPU build of torch: set the build argument TORCH_INDEX_URL" >&2; exit 1; \
    fi \
    # What only torch's own tests and C++ development need: 195 MiB. Its import asks for torch_shm_manager.
    && rm -r "${TORCH}/include" "${TORCH}/test" \
    && find "${TORCH}/bin" -type f ! -name torch_shm_manager -delete

WORKDIR /src
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY seeds seeds
COPY models models
COPY service service
# Bytecode of what a worker imports, no more: of all that lies there it would be 246 MiB.
RUN pip --python /opt/stancewire/bin/python install --no-compile . \
    && /opt/stancewire/bin/python -c "import service.app, models.encoder, models.nli" \
    && /opt/stancewire/bin/stancewire process seeds/articles.jsonl > /dev/null


FROM python:3.11-slim-bookworm

LABEL org.opencontainers.image.title="Stancewire" \
      org.opencontainers.image.description="Every quotation in a stream of news articles, with its speaker and its stance, through Kafka." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="python:3.11-slim-bookworm"

# The number is fixed so that Kubernetes can check runAsNonRoot and volumes can be given to it.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin stancewire

COPY --from=builder /opt/stancewire /opt/stancewire

# Nothing is written to disk: the image works with a read-only root file system. Where another model
# than the packaged one brings torch in, torch makes its cache folder on import, although nothing here
# is compiled; a folder that exists already will do.
ENV PATH=/opt/stancewire/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    STANCEWIRE_HTTP_HOST=0.0.0.0 \
    TORCHINDUCTOR_CACHE_DIR=/tmp

USER 10001:10001
WORKDIR /
EXPOSE 8088
STOPSIGNAL SIGTERM

# Alive, not ready: a worker that waits for its share of partitions is fine. No proxy is asked.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:' + os.environ.get('STANCEWIRE_HTTP_PORT', '8088') + '/livez', timeout=4)"]

ENTRYPOINT ["stancewire"]
CMD ["worker"]
