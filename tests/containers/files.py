"""Read Dockerfile and docker-compose.yml as an engine would, as far as these two files use them.

Never starts anything. Before it: the two files. After it: `engine`, and the tests that judge what is written there.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
_VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")
OURS = "ocpp-bridge:0.1.0"


@dataclass(slots=True)
class Image:
    """What the last stage of a Dockerfile says about its containers."""

    environ: dict[str, str] = field(default_factory=dict)
    user: str = "0:0"
    workdir: str = "/"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    volumes: list[str] = field(default_factory=list)
    stop_signal: str = "SIGTERM"
    copied: list[str] = field(default_factory=list)
    """What all stages take from the build's context."""


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Give each instruction with its arguments, lines joined, comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            name, _, rest = line.strip().partition(" ")
            yield name, rest.strip()


def read_image(text: str) -> Image:
    """Return the image of a Dockerfile."""
    image = Image()
    for name, rest in instructions(text):
        match name:
            case "FROM":
                image = Image(copied=image.copied)
            case "COPY" if not rest.startswith("--from"):
                image.copied += rest.split()[:-1]
            case "ENV":
                image.environ |= dict(pair.split("=", 1) for pair in shlex.split(rest))
            case "USER":
                image.user = rest
            case "WORKDIR":
                image.workdir = rest
            case "ENTRYPOINT":
                image.entrypoint = json.loads(rest)
            case "CMD":
                image.command = json.loads(rest)
            case "HEALTHCHECK":
                image.health = json.loads(rest.partition("CMD ")[2])
            case "VOLUME":
                image.volumes = json.loads(rest)
            case "STOPSIGNAL":
                image.stop_signal = rest
    return image


@dataclass(frozen=True, slots=True)
class Mount:
    """Something of the host's, or a volume, at its place in a container."""

    source: Path
    target: str
    read_only: bool


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the compose file, over its image."""

    name: str
    table: Mapping[str, Any]
    image: Image

    @property
    def ours(self) -> bool:
        return self.table["image"] == OURS

    @property
    def argv(self) -> list[str]:
        own_entry = "entrypoint" in self.table
        command = self.table.get("command", [] if own_entry else self.image.command)
        return [*self.table.get("entrypoint", self.image.entrypoint), *command]

    @property
    def environ(self) -> dict[str, str]:
        return self.image.environ | {name: str(value) for name, value in self.table.get("environment", {}).items()}

    @property
    def health(self) -> list[str]:
        """The command of its health check; empty where it has none of its own."""
        return list(self.table.get("healthcheck", {}).get("test", []))[1:]

    @property
    def waits_for(self) -> dict[str, str]:
        """What must be the case with which service before it starts."""
        return {name: each["condition"] for name, each in self.table.get("depends_on", {}).items()}

    @property
    def is_task(self) -> bool:
        """Whether it does one thing and ends."""
        return bool(self.table["restart"] == "no")


@dataclass(frozen=True, slots=True)
class Composition:
    """The compose file."""

    tree: Mapping[str, Any]
    image: Image

    def services(self, profile: str | None = None) -> list[Service]:
        """Return the services of a profile, each after those that it waits for; None: of all."""
        found = {
            name: Service(name, table, self.image if table["image"] == OURS else Image())
            for name, table in self.tree["services"].items()
            if profile is None or profile in table["profiles"]
        }
        ordered: dict[str, Service] = {}

        def add(name: str) -> None:
            for other in found[name].waits_for:
                add(other)
            ordered.setdefault(name, found[name])

        for name in found:
            add(name)
        return list(ordered.values())

    def mounts(self, service: Service, volumes: Path) -> list[Mount]:
        """Return what a service sees; named volumes are folders in `volumes`."""
        found = [
            Mount(volumes / name, target, read_only=False)
            for name, _, target in (text.partition(":") for text in service.table.get("volumes", []))
        ]
        for kind, folder in (("configs", "/"), ("secrets", "/run/secrets/")):
            for each in service.table.get(kind, []):
                source, target = (each, each) if isinstance(each, str) else (each["source"], each["target"])
                file = ROOT / self.tree[kind][source]["file"]
                found.append(Mount(file, target if target.startswith("/") else folder + target, read_only=True))
        return found


def read_composition(text: str, image: Image, variables: Mapping[str, str]) -> Composition:
    """Return the compose file, with `variables` in place of its `${…}`."""
    filled = _VARIABLE.sub(lambda found: variables.get(found[1], found[2]), text)
    return Composition(yaml.safe_load(filled), image)


def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text(encoding="utf-8")


def compose_file() -> str:
    return (ROOT / "docker-compose.yml").read_text(encoding="utf-8")


def context_files() -> list[Path]:
    """Return every file that .dockerignore lets into the build, below ROOT: it forbids all and lets some in again."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = [ROOT / line[1:] for line in lines if line.startswith("!")]
    files = [file for top in allowed for file in ([top] if top.is_file() else sorted(top.rglob("*")))]
    return [file for file in files if file.is_file() and "__pycache__" not in file.parts]


def words_of_ours(commands: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return those commands that are ours."""
    return [list(words) for words in commands if words and words[0] in ("ocpp-bridge", "ocpp-sim")]
