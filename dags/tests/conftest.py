"""A fresh Airflow for the tests: its own home with an SQLite database, and the DAGs of this repository."""

import json
import os
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

import pytest

DAGS = Path(__file__).resolve().parent.parent
HOME = tempfile.mkdtemp(prefix="airflow-")
# Airflow reads these when it is first imported.
os.environ |= {
    "AIRFLOW_HOME": HOME,
    "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
    "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
    "AIRFLOW__CORE__UNIT_TEST_MODE": "false",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{HOME}/airflow.db",
    "AIRFLOW__LOGGING__BASE_LOG_FOLDER": f"{HOME}/logs",
    "SPARK_REMOTE": "sc://spark:15002/;token=spark-token-value",
    "AIRFLOW_CONN_LAKE": json.dumps(
        {
            "conn_type": "aws",
            "login": "lake-key-id",
            "password": "lake-secret-key",
            "extra": {"lake_url": "s3://lake", "endpoint_url": "http://minio:9000", "path_style": True},
        }
    ),
    "AIRFLOW_CONN_LAUNCH_API": json.dumps(
        {"conn_type": "http", "host": "https://api.example/2.3.0", "password": "api-token-value"}
    ),
}
sys.path.insert(0, str(DAGS))


def pytest_configure(config):
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True)


def required(name: str) -> bool:
    return name in os.environ.get("LAKE_TEST_REQUIRE", "").split(",")


@pytest.fixture(scope="session")
def docker_client():
    """A client of a Docker engine. Without one the test is skipped, unless LAKE_TEST_REQUIRE names docker."""
    import docker

    try:
        client = docker.APIClient(base_url=os.environ.get("DOCKER_HOST"), version="auto", timeout=60)
        client.ping()
    except docker.errors.DockerException as error:
        if required("docker"):
            pytest.fail(f"LAKE_TEST_REQUIRE names docker: {error}")
        pytest.skip(f"needs a Docker engine: {error}")
    return client


@pytest.fixture(scope="session")
def contract_image(docker_client, tmp_path_factory):
    """An image that obeys the process contract as its environment tells it to."""
    folder = tmp_path_factory.mktemp("contractimage")
    source = Path(__file__).parent / "contractimage"
    subprocess.run(
        ["go", "build", "-o", folder / "contractimage", "."],
        cwd=source,
        env={**os.environ, "CGO_ENABLED": "0"},
        check=True,
    )
    (folder / "Dockerfile").write_bytes((source / "Dockerfile").read_bytes())
    tag = f"launchlake-test/contractimage:{uuid.uuid4().hex[:8]}"
    for _ in docker_client.build(path=str(folder), tag=tag, rm=True, decode=True):
        pass
    yield tag
    docker_client.remove_image(tag, force=True)


@pytest.fixture
def network(docker_client):
    """The name of a network of this test alone. What a task left on it is an error."""
    name = f"launchlake-test-{uuid.uuid4().hex[:8]}"
    docker_client.create_network(name)
    yield name
    left = docker_client.containers(all=True, filters={"label": f"launchlake.network={name}"})
    for container in left:
        docker_client.remove_container(container["Id"], force=True, v=True)
    docker_client.remove_network(name)
    assert not left, f"containers left behind: {[c['Names'] for c in left]}"
