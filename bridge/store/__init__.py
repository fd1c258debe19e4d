"""Remember: the only SQL in the bridge, on SQLite or PostgreSQL, through SQLAlchemy Core.

Never decides; never talks to a station or a hub. Before it: `derive`, `intake`, `lane`, `ticker`, `web`. After it:
disk.
"""
