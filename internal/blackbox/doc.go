// Package blackbox tests launchlake's images from outside, as Airflow uses them: confined containers that are configured
// by their environment, work on a lake in MinIO, tell by exit code and result line how they ended, and can be pushed to
// a registry. It holds tests only; they need a Docker engine.
package blackbox
