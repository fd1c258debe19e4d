"""Put the parts together: the one place where settings become options and everything meets everything.

`serve` runs the bridge until it is told to stop; `stopped` opens a stopped bridge's store for the command line. The
parts receive what they need as arguments and know nothing of each other.
"""

from bridge.app.serve import serve
from bridge.app.services import stopped

__all__ = ["serve", "stopped"]
