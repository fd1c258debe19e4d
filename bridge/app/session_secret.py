"""Make and read the secret that signs the dashboard's cookies, in a file of its own in the state folder.

Whoever removes it ends every session with the next start. Before it: the first start. After it: `bridge.web.sessions`.
"""

from __future__ import annotations

from pathlib import Path

from bridge.app.pepper import make_secret

SECRET_FILE = "session-secret"  # noqa: S105 - a name
_BYTES = 32


def ensure_session_secret(state_dir: Path) -> bytes:
    """Return the secret, made on the first start (mode 0600); one that is no secret is replaced. Raises: OSError."""
    path = state_dir / SECRET_FILE
    try:
        secret = path.read_bytes()
    except FileNotFoundError:
        return make_secret(path)
    if len(secret) == _BYTES:
        return secret
    path.unlink(missing_ok=True)
    return make_secret(path)
