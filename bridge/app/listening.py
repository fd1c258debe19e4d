"""Say where we listen, and why an address cannot be listened on, in the words of the configuration.

Never listens: `csms` and `web` do. Before it: their OSError. After it: the line that the operator reads.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import structlog

from bridge.settings import Settings
from bridge.web.ports_file import Ports, write_ports
from csms.options import DEFAULT_LISTENER
from csms.server import ListenFailed

log = structlog.get_logger(__name__)


class CannotListen(Exception):
    """The address of one of the listeners cannot be used; nothing listens. `section` is its table."""

    def __init__(self, section: str, host: str, port: int, error: OSError) -> None:
        super().__init__(section, host, port, error)
        self.section, self.host, self.port, self.error = section, host, port, error

    def __str__(self) -> str:
        """Return the text for the operator."""
        key = self.section
        number = self.error.errno or 0
        match number:
            case errno.EADDRINUSE:
                wanted = f"end the program that uses it, or set {key}.port to another (0: any free one)"
            case errno.EACCES | errno.EPERM:
                wanted = f"set {key}.port to one that this user may use, above 1023"
            case _:
                wanted = f"set {key}.host to an address of this machine"
        why = os.strerror(number) if number > 0 else (self.error.strerror or str(self.error))
        return f"{key}.port {self.port} on {key}.host {self.host}: {why.lower()}; {wanted}"


@contextmanager
def listening(section: str, host: str, port: int) -> Iterator[None]:
    """Turn the OSError of a listener that starts into CannotListen; one of the stations' listeners names itself."""
    try:
        yield
    except ListenFailed as error:
        failed = error.listener
        table = section if failed.name == DEFAULT_LISTENER else f"{section}.listeners.{failed.name}"
        raise CannotListen(table, failed.host, failed.port, error) from error
    except OSError as error:
        raise CannotListen(section, host, port, error) from error


def station_urls(settings: Settings, ports: Mapping[str, int]) -> dict[str, str]:
    """Return where stations connect, by listener; a host such as 0.0.0.0 is shown as it is configured."""
    tables = settings.ocpp.listeners
    found = {}
    for name, port in ports.items():
        table = tables.get(name)
        host = settings.ocpp.host if table is None else table.host
        shown = f"[{host}]" if ":" in host else host
        found[name] = f"{'wss' if table is not None and table.tls_certificate else 'ws'}://{shown}:{port}"
    return found


def announce(settings: Settings, stations: Mapping[str, int], web_port: int) -> Ports:
    """Say where we listen, in the log and in the state folder. Raises: OSError."""
    first = next(iter(stations.values()))
    ports = Ports(first, web_port, settings.web.host, os.getpid(), dict(stations))
    write_ports(settings.state_dir, ports)
    log.info(
        "bridge_started",
        ocpp=station_urls(settings, stations),
        web=ports.web_url,
        state_dir=str(settings.state_dir),
        accounts=list(settings.accounts),
    )
    return ports
