# launchlake's commands. `make` alone lists them.

SOURCE_URL ?= sample:
STATE      ?= 1
LAKE_URL   ?= ./lake
LAUNCHES   ?= 7500
CHANGES    ?= 200,2000,10000
TOOLS      ?= duckdb,polars,spark
RUNS       ?= 5
VECTORS    ?= false
VERSION    ?= $(shell git describe --tags --dirty 2>/dev/null || echo dev)
COMMIT     ?= $(shell git rev-parse --short HEAD 2>/dev/null)
LDFLAGS    := -s -w -X launchlake/internal/task.version=$(VERSION) -X launchlake/internal/task.commit=$(COMMIT)

.PHONY: help build run test bench bench-growth bench-go clean

help: ## list the commands
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build the four binaries into ./bin
	@mkdir -p bin
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/ingest ./tasks/ingest
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./tasks/refine ./tasks/aggregate ./tasks/lake

run: build ## run the pipeline into ./lake: SOURCE_URL=sample: (STATE=1 or 2) or https://ll.thespacedevs.com/2.3.0
	@LAKE_URL='$(LAKE_URL)' SOURCE_URL='$(SOURCE_URL)' SAMPLE_STATE='$(STATE)' bin/lake run

test: ## run every test: unit, race, MinIO, interop with delta-rs and DuckDB
	go vet ./...
	go test -race -timeout 40m ./...
	dags/tests/run

bench: build ## the same work with launchlake, DuckDB, polars and Spark: LAUNCHES=7500,200000 CHANGES=200,2000,10000 TOOLS=duckdb VECTORS=false RUNS=5
	go run ./internal/bench/peers -launches '$(LAUNCHES)' -changes '$(CHANGES)' -tools '$(TOOLS)' -vectors='$(VECTORS)' -runs $(RUNS)

bench-growth: LAUNCHES = 100000,1000000
bench-growth: CHANGES = 200
bench-growth: build ## what changes cost as the table grows: LAUNCHES=100000,1000000 CHANGES=200 VECTORS=false RUNS=5
	go run ./internal/bench/peers -growth -launches '$(LAUNCHES)' -changes '$(CHANGES)' -vectors='$(VECTORS)' -runs $(RUNS)

bench-go: ## run the Go benchmarks
	go test -run '^$$' -bench . -benchmem ./...

clean: ## remove the built binaries and the demo lake
	rm -rf bin lake

include deploy/platform.mk
