"""What Dockerfile and docker-compose.yml say can be meant: commands, variables, files and protections."""

from __future__ import annotations

import pytest

from bridge.settings.keys import known_keys, shape_of
from tests.containers.files import (
    ROOT,
    Composition,
    Image,
    Service,
    compose_file,
    context_files,
    dockerfile,
    read_composition,
    read_image,
    words_of_ours,
)
from tests.documents.commands import USAGE_ERROR, parse

IMAGE = read_image(dockerfile())
COMPOSITION = read_composition(compose_file(), IMAGE, {})
PROFILES = {
    "default": ["bridge"],
    "postgres": ["postgres", "postgres-bridge"],
    "sim": ["sim-agreement", "sim-bridge", "sim-fleet", "sim-hubs", "sim-inventory"],
}


def wrong_commands(image: Image, composition: Composition) -> list[str]:
    """Return every command of ours that this release does not have."""
    written = [[*image.entrypoint, *image.command], image.health]
    for service in composition.services():
        written += [service.argv, service.health]
    found = []
    for words in words_of_ours(written):
        try:
            parse(words)
        except (LookupError, USAGE_ERROR) as error:
            found.append(f"{' '.join(words)}: {error}")
    return found


def by_name(services: list[Service]) -> list[object]:
    return [pytest.param(service, id=service.name) for service in services]


def test_every_command_of_ours_exists() -> None:
    assert len(words_of_ours([service.argv for service in COMPOSITION.services()])) == 7
    assert wrong_commands(IMAGE, COMPOSITION) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        pytest.param("command: [serve]", "command: [srve]", id="a verb of the bridge"),
        pytest.param('"ocpp-bridge", "health"]', '"ocpp-bridge", "healthy"]', id="a health check"),
        pytest.param("inventory, import,", "inventory, imprt,", id="a verb below a noun"),
        pytest.param("--scenario, calm", "--scenarios, calm", id="an option of a simulator"),
    ],
)
def test_a_mistyped_command_of_the_compose_file_is_noticed(right: str, wrong: str) -> None:
    assert right in compose_file()
    assert wrong_commands(IMAGE, read_composition(compose_file().replace(right, wrong), IMAGE, {})) != []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        pytest.param('CMD ["serve"]', 'CMD ["serv"]', id="command"),
        pytest.param('CMD ["ocpp-bridge", "health"]', 'CMD ["ocpp-bridge", "heath"]', id="health check"),
    ],
)
def test_a_mistyped_command_of_the_dockerfile_is_noticed(right: str, wrong: str) -> None:
    assert right in dockerfile()
    assert wrong_commands(read_image(dockerfile().replace(right, wrong)), COMPOSITION) != []


def test_every_profile_has_its_services_and_one_is_meant_where_none_is_named() -> None:
    found = {name: sorted(service.name for service in COMPOSITION.services(name)) for name in PROFILES}
    assert found == PROFILES
    assert "COMPOSE_PROFILES=default\n" in (ROOT / ".env").read_text(encoding="utf-8")


@pytest.mark.parametrize("service", by_name(COMPOSITION.services()))
def test_every_service_is_an_ordinary_user_who_can_change_nothing_but_his_own(service: Service) -> None:
    table = service.table
    assert table["read_only"] is True
    assert table["cap_drop"] == ["ALL"]
    assert table["security_opt"] == ["no-new-privileges:true"]
    assert 0 not in map(int, str(table["user"]).split(":"))
    assert {"mem_limit", "cpus", "pids_limit", "restart", "stop_grace_period"} <= set(table)
    assert service.is_task or service.health
    assert "privileged" not in table
    assert "latest" not in table["image"]


def test_operators_are_listened_to_on_this_machine_alone() -> None:
    published = [port for service in COMPOSITION.services() for port in service.table.get("ports", [])]
    assert set(published) == {"9000:9000", "127.0.0.1:8080:8080"}


def test_no_variable_holds_a_secret_and_each_of_ours_is_a_key() -> None:
    for service in COMPOSITION.services():
        ours = [name for name in service.environ if name.startswith("BRIDGE_")]
        for name in [*ours, *(target.upper() for target in secret_names(service))]:
            key = shape_of(tuple(name.removeprefix("BRIDGE_").lower().split("__")))
            assert key in known_keys(), name
        assert not any(word in name for name in ours for word in ("KEY", "PASS", "SECRET", "DATABASE_URL"))


def secret_names(service: Service) -> list[str]:
    listed = [each if isinstance(each, str) else each["target"] for each in service.table.get("secrets", [])]
    return [name for name in listed if name.startswith("bridge_")]


def test_every_file_that_is_mounted_exists_but_the_secrets_that_you_make() -> None:
    for kind in ("configs", "secrets"):
        for name, table in COMPOSITION.tree[kind].items():
            assert (ROOT / table["file"]).is_file() or table["file"].startswith("./secrets/"), name


def test_the_image_is_an_ordinary_user_s_and_keeps_its_state_in_a_volume() -> None:
    assert (IMAGE.user, IMAGE.stop_signal) == ("10001:10001", "SIGTERM")
    assert IMAGE.volumes == [IMAGE.environ["BRIDGE_STATE_DIR"]] == ["/var/lib/ocpp-bridge"]
    assert all(service.table["user"] == IMAGE.user for service in COMPOSITION.services() if service.ours)
    assert all(line.split("@")[0].count(":") == 1 for line in dockerfile().splitlines() if line.startswith("FROM"))


def test_the_build_gets_what_it_copies_and_no_secret() -> None:
    names = {str(file.relative_to(ROOT)) for file in context_files()}
    for copied in IMAGE.copied:
        assert any(name == copied or name.startswith(f"{copied}/") for name in names), copied
    names.remove("config/demo/bridge.toml")  # the demo's, with the mock hubs' key: a wheel carries it
    assert not any(name.startswith(("secrets", "state", ".git", "tests", "config")) for name in names)


def test_the_image_gets_the_locked_versions_of_everything_that_a_bridge_needs() -> None:
    image, tried = (pinned(f"requirements-{name}.lock") for name in ("image", "dev"))
    assert set(image) >= {"aiohttp", "sqlalchemy", "psycopg", "psycopg-binary", "opentelemetry-sdk"}
    assert {name: version for name, version in image.items() if tried.get(name) != version} == {}
    assert set(pinned("requirements.lock")) - {"hatchling", "editables"} - build_only() <= set(image)


def build_only() -> set[str]:
    """What hatchling needs."""
    return {"packaging", "pathspec", "pluggy", "trove-classifiers", "tomli", "tomlkit"}


def pinned(lock: str) -> dict[str, str]:
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    found = [line.split(" ")[0].partition("==") for line in lines if "==" in line and not line.startswith(" ")]
    return {name.partition("[")[0]: version for name, _, version in found}
