# The images of launchlake, one target each: ingest, refine, aggregate, lake for the pipeline; socketproxy and launchapi
# for the platform. `docker compose build` builds what the stack needs.

FROM golang:1.26-bookworm AS modules
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download

FROM modules AS source
ENV GOFLAGS="-trimpath -buildvcs=false"
COPY internal internal
COPY tasks tasks
COPY deploy deploy
ARG VERSION=dev
ARG REVISION=unknown

# Pure Go.
FROM source AS pure
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -ldflags "-s -w -buildid= -X launchlake/internal/task.version=$VERSION -X launchlake/internal/task.commit=$REVISION" -o /out/ \
      ./tasks/ingest ./deploy/socketproxy ./deploy/launchapi

# With DuckDB inside, and everything else too: the binaries need no file of their image. As static-pie, for a binary that is merely static sorts
# all of its unwind tables at the first C++ exception, which takes 40 ms.
FROM source AS duckdb
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=1 go build -buildmode=pie -tags netgo,osusergo -ldflags "-s -w -buildid= -linkmode external -extldflags '-static-pie -Wl,--gc-sections,-z,pack-relative-relocs' \
      -X launchlake/internal/task.version=$VERSION -X launchlake/internal/task.commit=$REVISION" -o /out/ ./tasks/refine ./tasks/aggregate ./tasks/lake

FROM gcr.io/distroless/static-debian12:nonroot AS base
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.vendor="launchlake" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
USER nonroot

FROM base AS ingest
LABEL org.opencontainers.image.title="launchlake ingest" \
      org.opencontainers.image.description="Brings launches from the launch API into bronze/launches"
COPY --from=pure /out/ingest /ingest
ENTRYPOINT ["/ingest"]

FROM base AS refine
LABEL org.opencontainers.image.title="launchlake refine" \
      org.opencontainers.image.description="Merges Bronze into silver/launches by the data contract"
COPY --from=duckdb /out/refine /refine
ENTRYPOINT ["/refine"]

FROM base AS aggregate
LABEL org.opencontainers.image.title="launchlake aggregate" \
      org.opencontainers.image.description="Computes the Gold tables from silver/launches"
COPY --from=duckdb /out/aggregate /aggregate
ENTRYPOINT ["/aggregate"]

FROM base AS lake
LABEL org.opencontainers.image.title="launchlake lake" \
      org.opencontainers.image.description="Looks at, queries and maintains the tables of a lake"
COPY --from=duckdb /out/lake /lake
ENTRYPOINT ["/lake"]

FROM base AS launchapi
LABEL org.opencontainers.image.title="launchlake launchapi" \
      org.opencontainers.image.description="Serves recorded launches as Launch Library 2 does"
COPY --from=pure /out/launchapi /launchapi
EXPOSE 8080
ENTRYPOINT ["/launchapi"]

# Root without any capability: the owner of the engine's socket, and nothing more.
FROM base AS socketproxy
LABEL org.opencontainers.image.title="launchlake socketproxy" \
      org.opencontainers.image.description="Lets through to the Docker engine what running a task needs"
COPY --from=pure /out/socketproxy /socketproxy
USER root
EXPOSE 2375
ENTRYPOINT ["/socketproxy"]
