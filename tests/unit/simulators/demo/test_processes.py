import asyncio
import os
import sys

import pytest

from simulators.demo.processes import ChildDied, Children, NotReady

READY = "import json,sys,time,pathlib;pathlib.Path(sys.argv[1]).write_text(json.dumps({'port': 7}));time.sleep(60)"


def python(code, *arguments):
    return [sys.executable, "-S", "-c", code, *map(str, arguments)]


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_child_is_ready_when_its_file_is_there_and_is_ended_with_the_context(tmp_path):
    async with Children(tmp_path) as children:
        child = await children.start("one", python(READY, tmp_path / "ready"), os.environ)
        assert await children.ready(child, tmp_path / "ready", 10) == {"port": 7}
        pid = child._process.pid
        assert alive(pid)
    assert not alive(pid)


async def test_a_child_that_dies_shows_the_end_of_its_log(tmp_path):
    async with Children(tmp_path) as children:
        child = await children.start("bad", python("print('no such port');raise SystemExit(5)"), os.environ)
        with pytest.raises(ChildDied) as caught:
            await children.ready(child, tmp_path / "never", 10)
    assert caught.value.code == 5
    assert str(caught.value).startswith("bad ended with exit code 5; the end of")
    assert str(caught.value).endswith("  no such port")


async def test_a_child_that_is_never_ready_is_an_error_in_bounded_time(tmp_path):
    async with Children(tmp_path) as children:
        child = await children.start("slow", python("import time;time.sleep(60)"), os.environ)
        with pytest.raises(NotReady, match="slow was not ready after 0 s"):
            await children.ready(child, tmp_path / "never", 0.1)


async def test_a_program_that_fails_is_an_error(tmp_path):
    async with Children(tmp_path) as children:
        await children.complete("good", python("pass"), os.environ, 10)
        with pytest.raises(ChildDied):
            await children.complete("bad", python("raise SystemExit(1)"), os.environ, 10)


async def test_cancellation_ends_the_children(tmp_path):
    started = asyncio.get_running_loop().create_future()

    async def demo():
        async with Children(tmp_path) as children:
            child = await children.start("one", python("import time;time.sleep(60)"), os.environ)
            started.set_result(child._process.pid)
            await asyncio.Event().wait()

    running = asyncio.create_task(demo())
    pid = await asyncio.wait_for(started, 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not alive(pid)


DEMO = """
import asyncio, os, pathlib, sys
from simulators.demo.processes import Children

async def demo():
    async with Children(pathlib.Path(sys.argv[1])) as children:
        child = await children.start("one", [sys.executable, "-S", "-c", sys.argv[2]], os.environ)
        await children.ready(child, pathlib.Path(sys.argv[1]) / "ready", 10)
        print(child._process.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(demo())
"""
TELL = "import pathlib,sys,time;pathlib.Path(r'{}').write_text('1');time.sleep(60)"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has ended")
async def test_a_killed_demo_leaves_no_child(tmp_path):
    arguments = (sys.executable, "-c", DEMO, str(tmp_path), TELL.format(tmp_path / "ready"))
    demo = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(20):
        pid = int(await demo.stdout.readline())
        ended = asyncio.Event()
        process = os.pidfd_open(pid)
        asyncio.get_running_loop().add_reader(process, ended.set)
        demo.kill()
        await demo.wait()
        await ended.wait()
        asyncio.get_running_loop().remove_reader(process)
        os.close(process)
