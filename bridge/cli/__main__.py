"""Let `python -m bridge.cli` do what `ocpp-bridge` does."""

from bridge.cli import main

main()
