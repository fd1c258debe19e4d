"""Let commands ask a bridge on another machine: by its address, with an API key from a file.

Never takes a key as an argument, where every user of the machine could read it, and never shows one. Before it: `run`,
which gives the options to every command that asks a bridge. After it: `client`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from typer.main import get_command

from bridge.cli.address import Address
from bridge.cli.failures import Misdirected, Missing
from bridge.cli.printable import harmless

URL_VARIABLE = "OCPP_BRIDGE_URL"
KEY_VARIABLE = "OCPP_BRIDGE_API_KEY_FILE"
_ASKS = "config"
"""Parameter of every command that asks a bridge."""
_STAYS = "configuration"
"""Parameter of every command that works on files of its own machine."""
_URL, _KEY_FILE = "bridge.cli.url", "bridge.cli.api_key_file"
_LONGEST_KEY = 256


def add_options(command: Any) -> None:
    """Give a command the options that say which bridge it asks; one that asks none says so."""
    names = [parameter.name for parameter in command.params]
    if _ASKS in names:
        place = names.index(_ASKS) + 1
        command.params[place:place] = _parameters(asks=True)
    elif _STAYS in names:
        command.params += _parameters(asks=False)


def address_given(
    context: typer.Context, config: Path | None, environ: Mapping[str, str], *, needs_key: bool = True
) -> Address | None:
    """Return the bridge that was named by its address; None: the one of this machine is meant.

    What a command's options say counts before the environment: `--config` is a bridge of this machine.

    Raises: Misdirected, Missing.
    """
    url, key_file = context.meta.get(_URL), context.meta.get(_KEY_FILE)
    if url is not None and config is not None:
        raise Misdirected("--url names a bridge by its address, --config one of this machine: give one of them")
    if config is not None and key_file is None:
        return None
    url = url or (environ.get(URL_VARIABLE) if config is None else None)
    key_file = key_file or environ.get(KEY_VARIABLE)
    if not url and key_file:
        raise Misdirected(f"an API key is for a bridge at an address: give --url, or ${URL_VARIABLE}")
    if not url:
        return None
    if not key_file and not needs_key:
        return Address(_checked(url), "")
    if not key_file:
        raise Misdirected(f"with which key? Give --api-key-file FILE, or ${KEY_VARIABLE}; see `ocpp-bridge key create`")
    return read_address(url, Path(key_file))


def read_address(url: str, key_file: Path) -> Address:
    """Return an address with the key in a file. Raises: Misdirected, Missing."""
    read = _checked(url)
    key = _key(key_file)
    why = f"the bridge at {read} refuses the key in {key_file}: is it of this bridge, and neither revoked nor over?"
    return Address(read, key, why)


def can_be_overheard(address: Address) -> bool:
    """Tell whether the key goes to another machine without TLS."""
    parts = urlsplit(address.url)
    if parts.scheme == "https" or parts.hostname == "localhost":
        return False
    try:
        return not ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return True


def _checked(url: str) -> str:
    wanted = f"{harmless(url[:256])!r}: should be an address such as https://bridge.example"
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError as error:
        raise Misdirected(wanted) from error
    if "@" in parts.netloc:
        raise Misdirected(
            f"an address should hold no name and no password: give the key by --api-key-file or ${KEY_VARIABLE}"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise Misdirected(wanted)
    return parts.geturl().rstrip("/")


def _key(file: Path) -> str:
    try:
        key = file.read_text(encoding="ascii").strip()
    except FileNotFoundError as error:
        raise Missing(f"{file}: no such file; it should hold an API key") from error
    except OSError as error:
        raise Misdirected(f"{file}: {error.strerror}; it should hold an API key") from error
    except UnicodeDecodeError:
        key = ""
    if not key or len(key) > _LONGEST_KEY or not key.isprintable() or " " in key:
        raise Misdirected(f"{file}: should hold one API key and nothing else, as `ocpp-bridge key create` prints it")
    return key


def _note_url(context: typer.Context, value: str | None) -> None:
    context.meta[_URL] = value


def _note_key_file(context: typer.Context, value: str | None) -> None:
    context.meta[_KEY_FILE] = value


def _refuse(value: str | None) -> None:
    if value is not None:
        raise typer.BadParameter("this works on files of the bridge's own machine: run it there")


def _asking(
    _1: Annotated[
        str | None,
        typer.Option(
            "--url",
            metavar="URL",
            help=f"Ask the bridge at this address; else ${URL_VARIABLE}, else the one of this machine.",
            callback=_note_url,
            expose_value=False,
        ),
    ] = None,
    _2: Annotated[
        str | None,
        typer.Option(
            "--api-key-file",
            metavar="FILE",
            help=f"File with an API key for the bridge at that address; else ${KEY_VARIABLE}.",
            callback=_note_key_file,
            expose_value=False,
        ),
    ] = None,
) -> None:
    """Hold the options of a command that asks a bridge."""


def _staying(
    _1: Annotated[
        str | None,
        typer.Option("--url", metavar="URL", help="Not here.", hidden=True, callback=_refuse, expose_value=False),
    ] = None,
) -> None:
    """Hold the option that a command of this machine refuses."""


@cache
def _parameters(*, asks: bool) -> list[Any]:
    holder = typer.Typer(add_completion=False)
    holder.command()(_asking if asks else _staying)
    return [parameter for parameter in get_command(holder).params if parameter.name != "help"]
