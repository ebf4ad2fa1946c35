# The provider, without root and without compilers.
FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements/server.txt ./
RUN python -m venv /venv
RUN /venv/bin/pip install --no-cache-dir --require-hashes -r server.txt
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY idp idp
COPY client_demo client_demo
COPY migrations migrations
RUN /venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim
RUN useradd --system --uid 10001 idp && mkdir /data && chown idp /data
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH IDP_DATA_DIR=/data IDP_SERVER__HOST=0.0.0.0
USER idp
EXPOSE 9000
CMD ["idp", "serve"]
