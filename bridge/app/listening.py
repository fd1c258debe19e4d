"""Say why an address cannot be listened on, in the words of the configuration.

Never listens: `csms` and `web` do. Before it: their OSError. After it: the line that the operator reads.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal


class CannotListen(Exception):
    """The address of one of the two listeners cannot be used; nothing listens."""

    def __init__(self, section: Literal["ocpp", "web"], host: str, port: int, error: OSError) -> None:
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
def listening(section: Literal["ocpp", "web"], host: str, port: int) -> Iterator[None]:
    """Turn the OSError of a listener that starts into CannotListen."""
    try:
        yield
    except OSError as error:
        raise CannotListen(section, host, port, error) from error
