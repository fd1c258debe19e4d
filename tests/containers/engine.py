"""Run the services of a compose profile without a container engine: namespaces, a read-only root, an ordinary user.

One `Pod` has a network of its own, in which every service's ports are free. The image is stood for by a virtual
environment into which the wheel was installed that the Dockerfile would build. Needs root, as an engine does.
Before it: `files`. After it: `inside`, in each process.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from dataclasses import replace
from pathlib import Path

from tests.acceptance.processes import Process, Processes, until
from tests.containers.files import ROOT, Composition, Image, Mount, Service, context_files

HERE = Path(__file__).parent
VENV = "/opt/ocpp-bridge"
READY_S = 60.0
_SYSTEM = ("/usr", "/dev", "/proc", "/etc/ssl", "/etc/nsswitch.conf", "/etc/localtime")
_FILES = {
    "/etc/hosts": "127.0.0.1 localhost postgres\n",
    "/etc/passwd": "ocpp-bridge:x:10001:10001::/var/lib/ocpp-bridge:\npostgres:x:70:70::/var/lib/postgresql:\n",
    "/etc/group": "ocpp-bridge:x:10001:\npostgres:x:70:\n",
}
_LINKS = {name: f"usr/{name}" for name in ("bin", "lib", "lib64", "sbin") if Path(f"/{name}").is_symlink()}
_HOLDER = (
    "import fcntl, socket, struct, signal\n"
    "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
    "fcntl.ioctl(s, 0x8914, struct.pack('16sH14x', b'lo', 0x49))\n"  # SIOCSIFFLAGS: IFF_UP | IFF_LOOPBACK | IFF_RUNNING
    "print('up', flush=True)\n"
    "signal.pause()\n"
)


def can_run() -> bool:
    """Return whether this user may make namespaces, mount and become somebody else."""
    if os.geteuid() != 0 or not all(shutil.which(one) for one in ("unshare", "nsenter", "setpriv", "mount")):
        return False
    probe = ["unshare", "--net", "--mount", "--propagation", "private", "mount", "-t", "tmpfs", "probe", "/mnt"]
    return subprocess.run(probe, capture_output=True, timeout=20, check=False).returncode == 0


def build_environment(folder: Path) -> Path:
    """Return a virtual environment with the wheel that is built from what .dockerignore lets through."""
    context, wheels, venv = folder / "context", folder / "wheels", folder / "venv"
    for file in context_files():
        copy = context / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, copy)
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(wheels), cwd=context)
    run(sys.executable, "-m", "venv", "--without-pip", str(venv))
    python = venv / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--disable-pip-version-check"]
    run(*pip, "--no-deps", "--no-index", *map(str, wheels.iterdir()))
    site = next((venv / "lib").glob("python*/site-packages"))
    # The locked packages are installed beside the tests already; a path file shows them, but no path file of theirs.
    (site / "locked.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    for script in (venv / "bin").iterdir():
        if script.is_file() and not script.is_symlink() and script.read_bytes()[:2] == b"#!":
            script.write_text(script.read_text(encoding="utf-8").replace(str(venv), VENV), encoding="utf-8")
    return venv


def run(*arguments: str, cwd: Path | None = None) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(arguments, cwd=cwd, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{arguments}: {done.stderr}"


class Pod:
    """The services of one profile on one network. `end` ends them all."""

    def __init__(self, composition: Composition, venv: Path, folder: Path) -> None:
        self.composition = composition
        self.processes = Processes(folder)
        self.volumes = folder / "volumes"
        self.images: dict[str, Image] = {}
        """What stands for the image of a service that is not ours."""
        self._folder = folder
        self._venv = venv
        self._running: dict[str, Process] = {}
        self._count = 0
        self._network = self._own_network()

    def _own_network(self) -> int:
        holder = self.processes.start("network", ["unshare", "--net", sys.executable, "-c", _HOLDER], os.environ)
        self._holder = holder
        return holder.pid

    async def up(self, profile: str) -> None:
        """Start every service of a profile, each once what it waits for is so."""
        await until(lambda: b"up" in self._holder.log.read_bytes(), 10, "the network")
        for service in self.composition.services(profile):
            for other, condition in service.waits_for.items():
                await self.wait(other, condition)
            self.start(self.service(service.name))

    async def wait(self, name: str, condition: str) -> None:
        """Wait until a service is so as another one wants it."""
        process, service = self._running[name], self.service(name)
        match condition:
            case "service_started":
                process.check()
            case "service_completed_successfully":
                assert await process.ended(READY_S) == 0, process.log.read_text(encoding="utf-8")
            case "service_healthy":
                await until(lambda: self._healthy(service), READY_S, f"{name} is healthy", every=0.5)
            case _:
                raise AssertionError(condition)

    async def _healthy(self, service: Service) -> bool:
        self._running[service.name].check()
        return await self.execute(service, service.health) == 0

    def service(self, name: str) -> Service:
        found = next(one for one in self.composition.services() if one.name == name)
        return replace(found, image=self.images.get(name, found.image))

    def start(self, service: Service) -> Process:
        """Start a service's own command."""
        self._running[service.name] = process = self._spawn(service, service.argv, service.name)
        return process

    async def execute(self, service: Service, argv: list[str], log: str = "executed") -> int:
        """Run another command in a service's container, and return its exit code."""
        return await self._spawn(service, argv, log).ended(READY_S)

    async def stop(self, name: str, within: float) -> int:
        """End a service as an engine does, and return its exit code."""
        process = self._running[name]
        process.signal(signal.Signals[self.composition.image.stop_signal])
        return await process.ended(within)

    def said(self, log: str) -> str:
        return (self._folder / f"{log}.log").read_text(encoding="utf-8")

    def running(self, name: str) -> Process:
        return self._running[name]

    def _spawn(self, service: Service, argv: list[str], log: str) -> Process:
        self._count += 1
        root = self._folder / f"root-{self._count}"
        root.mkdir()
        spec = self._folder / f"{self._count}.json"
        spec.write_text(json.dumps(self._spec(service, argv, root)), encoding="utf-8")
        enter = ["nsenter", f"--net=/proc/{self._network}/ns/net", "unshare", "--mount", "--propagation", "private"]
        return self.processes.start(log, [*enter, sys.executable, "-I", str(HERE / "inside.py"), str(spec)], os.environ)

    def _spec(self, service: Service, argv: list[str], root: Path) -> dict[str, object]:
        mounts = [
            *(Mount(Path(path), path, read_only=path not in ("/dev", "/proc")) for path in _SYSTEM),
            *(Mount(path, str(path), read_only=True) for path in {Path(sys.base_prefix), Path(sys.prefix)}),
            Mount(self._venv, VENV, read_only=True),
            *self.composition.mounts(service, self.volumes),
        ]
        for mount in mounts:
            if not mount.read_only and not mount.source.exists():
                mount.source.mkdir(parents=True)
                user, group = map(int, str(service.table["user"]).split(":"))
                os.chown(mount.source, user, group)
        tmpfs = [text.partition(":") for text in service.table["tmpfs"]]
        return {
            "root": str(root),
            "mounts": [(str(one.source), one.target, one.read_only) for one in mounts if one.source.exists()],
            "tmpfs": [(target, options) for target, _, options in tmpfs],
            "files": _FILES,
            "links": _LINKS,
            "workdir": service.image.workdir if service.ours else "/",
            "user": str(service.table["user"]),
            "argv": argv,
            "environ": {"PATH": "/usr/bin:/bin", **service.environ},
        }

    def end(self) -> None:
        self.processes.end()


def image_of_postgresql(binaries: Path) -> Image:
    """Return what stands for PostgreSQL's own image: its server and tools from a package, and the image's entry."""
    entry = HERE / "postgres-entry.sh"
    path = f"{binaries}:/usr/bin:/bin"
    environ = {"PATH": path, "PGDATA": "/var/lib/postgresql/18/docker"}
    return Image(environ=environ, entrypoint=["sh", "-c", entry.read_text(encoding="utf-8")])
