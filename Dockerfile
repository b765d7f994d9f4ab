# The API with the page, for any host that runs containers: Hugging Face Spaces, Cloud Run, Fly. See docs/hosting.md.
FROM node:24-bookworm-slim AS runtime
WORKDIR /runtime
COPY package.json package-lock.json ./
# ONNX Runtime for browsers, which can then answer photos themselves.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM python:3.11-slim-bookworm
ENV PORT=7860 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1

RUN useradd --create-home --uid 1000 foodvision
WORKDIR /home/foodvision/app
COPY requirements/api.txt requirements/
RUN pip install --require-hashes --requirement requirements/api.txt

COPY --chown=1000 . .
COPY --from=runtime /runtime/node_modules/onnxruntime-web/package.json node_modules/onnxruntime-web/
COPY --from=runtime /runtime/node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs \
    /runtime/node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm node_modules/onnxruntime-web/dist/
RUN pip install --no-deps --no-build-isolation --editable .

USER 1000
RUN foodvision check

EXPOSE $PORT
HEALTHCHECK --start-period=20s --start-interval=1s \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen(f'http://localhost:{os.environ[\"PORT\"]}/v2/health/ready', timeout=3)"]
CMD ["foodvision", "api", "--host", "0.0.0.0"]
