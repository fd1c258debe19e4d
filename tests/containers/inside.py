"""Become the process of a container: a root that is read-only, an ordinary user, no capabilities.

`python inside.py SPEC.json`, as root and within a mount namespace of its own. Stands for what an engine does with an
image. Before it: `engine`, which writes the specification. After it: the container's own command.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def main(path: str) -> None:
    """Build the root, go in, and execute the command."""
    spec: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    root = Path(spec["root"])
    mount("-t", "tmpfs", "-o", "mode=0755", "image", str(root))
    for target, options in spec["tmpfs"]:
        (root / target.lstrip("/")).mkdir(parents=True, exist_ok=True)
        mount("-t", "tmpfs", "-o", options, "tmpfs", str(root / target.lstrip("/")))
    for source, target, read_only in spec["mounts"]:
        bind(Path(source), root / target.lstrip("/"), read_only=read_only)
    for target, content in spec["files"].items():
        (root / target.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        (root / target.lstrip("/")).write_text(content, encoding="ascii")
    for link, target in spec["links"].items():
        (root / link).symlink_to(target)
    (root / spec["workdir"].lstrip("/")).mkdir(parents=True, exist_ok=True)
    mount("-o", "remount,ro", str(root))
    os.chroot(root)
    os.chdir(spec["workdir"])
    user, _, group = spec["user"].partition(":")
    drop = [
        *("/usr/bin/setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--no-new-privs"),
        *("--bounding-set=-all", "--inh-caps=-all", "--pdeathsig=KILL", "--"),
    ]
    os.execve(drop[0], [*drop, "/usr/bin/env", *spec["argv"]], spec["environ"])


def bind(source: Path, target: Path, *, read_only: bool) -> None:
    """Show a file or folder at another place."""
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    mount("--bind", str(source), str(target))
    if read_only:
        mount("-o", "remount,bind,ro", str(target))


def mount(*arguments: str) -> None:
    subprocess.run(["/usr/bin/mount", *arguments], check=True)


if __name__ == "__main__":
    main(sys.argv[1])
