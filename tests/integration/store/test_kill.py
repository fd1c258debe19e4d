import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa

from bridge.store.engine import open_store
from bridge.store.tables import counter

_WRITE_FOR_EVER = """
import asyncio, pathlib, sys
import sqlalchemy as sa
from bridge.store.engine import open_store
from bridge.store.tables import counter
from bridge.store.writer import Writer

def insert(connection, names):
    connection.execute(sa.insert(counter), [{"name": name, "value": 1} for name in names])
    return names

async def client(writer, number):
    n = 0
    while True:
        n += 1
        print(await writer.submit(insert, f"{number}:{n}"), flush=True)

async def main():
    store = open_store(sys.argv[1], state_dir=pathlib.Path(sys.argv[2]))
    store.upgrade()
    writer = Writer(store)
    writer.start()
    await asyncio.gather(*(client(writer, number) for number in range(8)))

asyncio.run(main())
"""


def answered_before_kill(url: str, state_dir: Path, lines: int) -> list[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _WRITE_FOR_EVER, url, str(state_dir)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    answered = [process.stdout.readline() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    answered += process.stdout.readlines()
    process.wait(10)
    process.stdout.close()
    return [line.strip() for line in answered if line.endswith("\n")]


async def test_every_item_answered_before_a_kill_is_stored(store_url: str, tmp_path: Path) -> None:
    answered = await asyncio.to_thread(answered_before_kill, store_url, tmp_path / "state", 300)
    assert len(answered) >= 300
    store = open_store(store_url, state_dir=tmp_path / "state")
    async with store.read() as connection:
        stored = set((await connection.execute(sa.select(counter.c.name))).scalars())
    await store.close()
    assert set(answered) <= stored
