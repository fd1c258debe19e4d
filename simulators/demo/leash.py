"""Become another program that ends when the process that started it ends, however that happens.

`python -m simulators.demo.leash PARENT SIGNAL PROGRAM ARGUMENT…`: asks the kernel for this signal (its number) when the
process PARENT ends, then executes the program in its place. Linux only; elsewhere the program runs without it, and
lives on where its parent was killed with SIGKILL. Before it: `processes`, and the tests' own.

Source: prctl(2), PR_SET_PDEATHSIG: kept over execve, and told when the thread ends that started the process.
"""

from __future__ import annotations

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Put this process on the leash and become the program. Raises: OSError where it cannot be executed."""
    parent, number, program = int(arguments[0]), int(arguments[1]), arguments[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        sys.exit("the process that started this one has ended already")
    try:
        os.execvp(program[0], program)
    except OSError as error:
        sys.exit(f"{program[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
