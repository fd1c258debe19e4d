import sys
from pathlib import Path

from simulators.demo.session import bridge_environment, find_program, fresh_folder

HUBS = {"hubject_url": "http://127.0.0.1:1", "chargeprice_url": "http://127.0.0.1:2"}


def test_every_run_has_a_folder_of_its_own(tmp_path):
    data = tmp_path / "data"
    assert [fresh_folder(data).name for _ in range(3)] == ["run-001", "run-002", "run-003"]


def test_the_bridge_gets_free_ports_and_the_mock_hubs_and_nothing_of_a_users_own_bridge(tmp_path):
    environ = {"PATH": "/bin", "BRIDGE_DATABASE_URL": "postgresql://production"}
    assert bridge_environment(environ, tmp_path, HUBS) == {
        "PATH": "/bin",
        "BRIDGE_STATE_DIR": str(tmp_path),
        "BRIDGE_OCPP__PORT": "0",
        "BRIDGE_WEB__PORT": "0",
        "BRIDGE_ACCOUNTS__HUBJECT__BASE_URL": "http://127.0.0.1:1",
        "BRIDGE_ACCOUNTS__CHARGEPRICE__BASE_URL": "http://127.0.0.1:2",
    }


def test_a_program_is_found_beside_this_python_first():
    name = Path(sys.executable).name
    assert find_program([name, "-V"]) == [str(Path(sys.executable).parent / name), "-V"]
    assert find_program(["no-such-program"]) == ["no-such-program"]
