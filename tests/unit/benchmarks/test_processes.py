"""What rows run in processes of their own: a server that is never ready fails its row, not the whole run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.processes import wait_for


def test_server_that_is_never_ready_is_an_exception_with_the_end_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text("port is taken")
    with pytest.raises(Exception, match=r"server\.port was not written; the server's log ends with:\nport is taken"):
        wait_for(tmp_path / "server.port", log, within=0)
