"""Say where a running bridge listens, in a small file of its state folder, and read it again.

The file outlives a crash: whoever reads it must still ask whether someone answers there. Before it: `bridge.app`, once
both servers listen. After it: the command line, and whatever starts the bridge on free ports.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

PORTS_FILE = "ports.json"
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@dataclass(frozen=True, slots=True)
class Ports:
    """Where both servers listen."""

    ocpp: int
    """Of the first listener."""
    web: int
    web_host: str
    pid: int
    listeners: Mapping[str, int] = field(default_factory=dict)
    """Of each of the stations' listeners, by its name."""

    @property
    def web_url(self) -> str:
        """The REST interface as seen from this machine."""
        host = _EVERYWHERE.get(self.web_host, self.web_host)
        return f"http://[{host}]:{self.web}" if ":" in host else f"http://{host}:{self.web}"


def write_ports(state_dir: Path, ports: Ports) -> None:
    """Write the file, whole or not at all. Raises: OSError."""
    draft = state_dir / f".{PORTS_FILE}.{os.getpid()}"
    draft.write_text(json.dumps(asdict(ports)) + "\n", encoding="ascii")
    draft.replace(state_dir / PORTS_FILE)


def read_ports(state_dir: Path) -> Ports | None:
    """Return what the file says; None where it is missing or unreadable."""
    try:
        content = json.loads((state_dir / PORTS_FILE).read_text(encoding="ascii"))
        listeners = {str(name): int(port) for name, port in content.get("listeners", {}).items()}
        web = int(content["web"]), str(content["web_host"]), int(content["pid"])
        return Ports(int(content["ocpp"]), *web, listeners)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def remove_ports(state_dir: Path) -> None:
    """Remove the file, at the end of an orderly stop. Raises: OSError."""
    (state_dir / PORTS_FILE).unlink(missing_ok=True)
