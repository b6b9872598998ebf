# The platform in Docker: deploy/README.md is its handbook.

COMPOSE := docker compose
export LAUNCHLAKE_REVISION ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)

.PHONY: env images up down logs doctor push e2e test-dags

env: ## write .env with new random secrets, where it lacks them
	@deploy/env

images: env ## build all images
	$(COMPOSE) build

up: images ## start the platform and wait until it is healthy
	@$(COMPOSE) up --detach --wait
	@printf '\nAirflow  http://localhost:%s  user admin, password: deploy/env get AIRFLOW_ADMIN_PASSWORD\n' "$$(deploy/env get AIRFLOW_PORT 8080)"
	@printf 'MinIO    http://localhost:%s  user and password: deploy/env get MINIO_ROOT_USER, MINIO_ROOT_PASSWORD\n' "$$(deploy/env get MINIO_CONSOLE_PORT 9001)"

down: ## stop the platform; its data stays in volumes
	@docker ps --quiet --filter "label=launchlake.network=$$(deploy/env get LAUNCHLAKE_NETWORK launchlake-tasks)" | xargs -r docker stop --time 10 | xargs -r docker rm --volumes
	@$(COMPOSE) --profile demo --profile spark down --timeout 30

logs: ## follow the services' logs
	@$(COMPOSE) logs --follow --tail 50

doctor: ## check the platform's services, then store, API and tables from inside a task's container
	@$(COMPOSE) ps --all --format 'table {{.Service}}\t{{.Status}}'
	@deploy/lake doctor

push: images ## push the images: make push LAUNCHLAKE_REGISTRY=registry.example.com/launchlake LAUNCHLAKE_VERSION=1.2.3
	$(COMPOSE) push ingest refine aggregate lake socketproxy minio airflow-init

e2e: ## run the whole platform in Docker: killed tasks, a spent budget, a turn on Spark, Gold in MinIO
	LAKE_E2E=1 go test -count=1 -timeout 40m -v ./internal/e2e

test-dags: ## run the tests of the DAGs
	@dags/tests/run
