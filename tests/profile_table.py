"""What each listener answers each station: literals from the standards, used without and with sockets.

A row is a station: what the inventory demands, and what it has proved before. A station of 0 has no key, one of 1 or 2
has one, one of 3 has none. A column is what it presents. A cell is the profile that it gets, or the HTTP status.

Source: OCPP 1.6 Security Whitepaper §2.2 and A05.FR.09; OCPP 2.0.1 Part 2, A00.FR.002, A00.FR.403, A05.FR.07.
"""

from __future__ import annotations

from collections.abc import Iterator

PLAIN = """
      nothing key
0 0   0       0
0 1   401     401
0 2   403     403
0 3   403     403
1 0   401     1
1 1   401     1
1 2   403     403
1 3   403     403
2 0   403     403
2 1   403     403
2 2   403     403
2 3   403     403
3 0   403     403
3 1   403     403
3 2   403     403
3 3   403     403
"""
"""Plain, profiles 0 and 1."""

TLS = """
      nothing key
0 0   403     403
0 1   401     401
0 2   401     401
0 3   403     403
1 0   401     2
1 1   401     2
1 2   401     2
1 3   403     403
2 0   401     2
2 1   401     2
2 2   401     2
2 3   403     403
3 0   403     403
3 1   403     403
3 2   403     403
3 3   403     403
"""
"""TLS without client_ca, profile 2."""

MUTUAL = """
      nothing key  certificate foreign
0 0   403     403  3           403
0 1   401     401  3           401
0 2   401     401  3           401
0 3   403     403  3           403
1 0   401     2    3           401
1 1   401     2    3           401
1 2   401     2    3           401
1 3   403     403  3           403
2 0   401     2    3           401
2 1   401     2    3           401
2 2   401     2    3           401
2 3   403     403  3           403
3 0   403     403  3           403
3 1   403     403  3           403
3 2   403     403  3           403
3 3   403     403  3           403
"""
"""TLS with client_ca, profiles 2 and 3; `foreign` is another station's certificate."""

CERTIFICATES_ONLY = """
      nothing key  certificate foreign
0 0   403     403  3           403
0 1   403     403  3           403
0 2   403     403  3           403
0 3   403     403  3           403
1 0   403     403  3           403
1 1   403     403  3           403
1 2   403     403  3           403
1 3   403     403  3           403
2 0   403     403  3           403
2 1   403     403  3           403
2 2   403     403  3           403
2 3   403     403  3           403
3 0   403     403  3           403
3 1   403     403  3           403
3 2   403     403  3           403
3 3   403     403  3           403
"""
"""TLS with client_ca, profile 3 alone."""

TABLES = {"plain": PLAIN, "tls": TLS, "mutual": MUTUAL, "certificates": CERTIFICATES_ONLY}
PROFILES = {"plain": {0, 1}, "tls": {2}, "mutual": {2, 3}, "certificates": {3}}


def cells(listener: str) -> Iterator[tuple[int, int, str, int]]:
    """Yield (security, reached, what is presented, profile or status) of one listener's table."""
    head, *rows = TABLES[listener].strip().splitlines()
    for row in rows:
        security, reached, *results = row.split()
        for presented, result in zip(head.split(), results, strict=True):
            yield int(security), int(reached), presented, int(result)
