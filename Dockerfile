# boxless serve in a container: two stages, no root, and a file system that may be read-only.
#
#     docker build -t boxless .
#     docker run --rm --read-only -p 127.0.0.1:8000:8000 -e BOXLESS_TOKEN=... boxless

FROM python:3.11-slim AS build
WORKDIR /source
COPY pyproject.toml hatch_build.py constraints.txt README.md LICENSE NOTICE ./
COPY src src
RUN python -m venv /boxless && \
    /boxless/bin/pip install --no-cache-dir --constraint constraints.txt '.[serve]'

FROM python:3.11-slim
COPY --from=build /boxless /boxless
RUN useradd --system --no-create-home --uid 10001 boxless
USER 10001
# No bytecode is written while it runs, and nothing is kept.
ENV PATH=/boxless/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health/ready', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["boxless", "serve", "--host", "0.0.0.0", "--port", "8000"]
