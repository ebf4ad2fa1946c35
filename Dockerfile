# The provider, without root and without compilers.
FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements/server.txt ./
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r server.txt
COPY pyproject.toml README.md LICENSE ./
COPY idp idp
COPY client_demo client_demo
COPY migrations migrations
RUN cp -r idp migrations /venv/

FROM python:3.13-slim
RUN useradd --system --uid 10001 idp
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONPATH=/venv IDP_DATA_DIR=/data IDP_SERVER__HOST=0.0.0.0
RUN mkdir /data && chown idp /data
USER idp
EXPOSE 9000
CMD ["python", "-m", "idp.cli", "serve"]
