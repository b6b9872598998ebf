// Package e2e tests the whole platform as an operator has it: the Compose stack is built and started, its DAG is
// triggered through Airflow's REST API, tasks are killed and run out of requests, and the Gold tables are read from
// MinIO. It holds tests only, which run when LAKE_E2E is set: `make e2e` does that.
package e2e
