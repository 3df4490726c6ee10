# One image for every service; the command says which. Built in two stages: the wheel with the
# console inside, then a slim runtime that holds nothing but it.
FROM python:3.13-slim-bookworm AS build
WORKDIR /src
RUN pip install --no-cache-dir uv==0.13.9
COPY . .
RUN uv build --wheel --out-dir /wheels

FROM python:3.13-slim-bookworm
COPY constraints.txt /tmp/constraints.txt
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir -c /tmp/constraints.txt /wheels/*.whl \
    && rm -r /wheels /tmp/constraints.txt \
    && useradd --create-home --uid 10001 binround \
    && install -d -o binround -g binround /data
USER binround
ENV BINROUND_DATA_DIR=/data
VOLUME /data
ENTRYPOINT ["binround"]
CMD ["--help"]
