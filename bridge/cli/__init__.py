"""The command line `ocpp-bridge`: nouns and verbs for operators and scripts.

Never decides anything about a status or a hub. A command that asks or changes a running bridge goes through its REST
interface; only with the bridge stopped does it open the store itself. Before it: an operator. After it: `bridge.app`.

    command, inventory, upstream, temporary    parse: one function per verb
    delivery                                   parse what is about requests to hubs
    listing, row_edits, full_load, syncing     parse what inventory and upstream have of their own
    station, station_log                       parse what is about one station
    beginning, configuration, health,          parse what needs no bridge's services
    completion
    run                                        what the verbs share: configuration, questions, exit codes
    session, client, temporary_client,         find the bridge; ask a running one
    wire_client
    elsewhere, address                         take the address and key of a bridge on another machine
    output, moments                            print for people, or one JSON document for programs; read and show times

Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 conflict, 5 configuration or data wrong, 6 bridge
unreachable, 130 interrupted.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    try:
        from bridge.cli.command import app
        from bridge.cli.completion import answer_shells

        answer_shells()
    except KeyboardInterrupt:  # Ctrl-C before there is a command that could handle it
        sys.exit(130)
    app()
