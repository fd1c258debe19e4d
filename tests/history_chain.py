"""Tie rows of the history that a test wrote past the product, as an upgrade ties those of an older release.

Reads everything. Before it: tests and benchmarks that write a past. After it: SQLite or PostgreSQL.
"""

from __future__ import annotations

TIE = (
    """
    UPDATE history SET earlier = tied.earlier, mark = CASE WHEN tied.place % 8 = 1 THEN tied.evse END
    FROM (
        SELECT id, evse, lag(id) OVER (PARTITION BY evse ORDER BY id) AS earlier,
            row_number() OVER (PARTITION BY evse ORDER BY id) AS place
        FROM history
    ) AS tied WHERE history.id = tied.id
    """,
    """
    UPDATE evse_state SET last_change = newest.id
    FROM (SELECT evse, max(id) AS id FROM history GROUP BY evse) AS newest WHERE newest.evse = evse_state.evse
    """,
)
"""Statements, one after the other."""
