"""Hold what every table shares: the collection that they are in, how their indexes are named, types of columns.

Before it: `station_tables` and `tables`, which describe them.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)

Text = sa.Text
Micros = sa.BigInteger
Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
