# Reads chest radiographs from a mounted folder; no torch inside.
#   docker build -t xray-ai .
#   docker run --rm --read-only --tmpfs /tmp -v /path/to/study:/study:ro xray-ai triage /study --json
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE CHANGELOG.md ./
COPY xray_ai xray_ai
COPY models models
RUN python3 -m venv /opt/xray-ai \
    && /opt/xray-ai/bin/pip install --no-cache-dir --constraint constraints.txt '.[cpu]'

FROM python:3.11-slim-bookworm AS serve
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin xray-ai
COPY --from=build /opt/xray-ai /opt/xray-ai
ENV PATH=/opt/xray-ai/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001
WORKDIR /var/lib/xray-ai
ENTRYPOINT ["xray-ai"]
CMD ["doctor"]
