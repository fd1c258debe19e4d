from datetime import timedelta

from simulators.fleet.behaviour import ConnectorState
from simulators.fleet.layout import Address
from simulators.fleet.outbox import Outbox
from simulators.fleet.wire import HeartbeatMessage, Phase, StatusMessage, TransactionMessage, Visit

ADDRESS = Address(0, 1)
NEVER = timedelta(hours=1)
STATUS = StatusMessage(ADDRESS, "Available")
DATED = StatusMessage(ADDRESS, "Faulted", "2026-01-01T00:00:00.000Z")
EVENT = TransactionMessage(Visit(ADDRESS), Phase.STARTED, ConnectorState.CHARGING, 0, 0, "t")


async def test_messages_come_in_their_order_and_each_stays_until_it_is_done():
    outbox = Outbox()
    outbox.add((STATUS, EVENT))
    assert [await outbox.first(NEVER), await outbox.first(NEVER)] == [STATUS, STATUS]
    outbox.done()
    assert await outbox.first(NEVER) == EVENT
    outbox.done()
    assert len(outbox) == 0


async def test_where_nothing_is_said_for_a_while_a_heartbeat_is():
    assert await Outbox().first(timedelta(milliseconds=1)) == HeartbeatMessage()


async def test_after_a_loss_only_history_is_still_said_transactions_among_it_as_late():
    outbox = Outbox()
    outbox.add((STATUS, EVENT, DATED, HeartbeatMessage()))
    outbox.keep_history()
    first = await outbox.first(NEVER)
    assert (first.visit, first.offline) == (EVENT.visit, True)
    outbox.done()
    assert await outbox.first(NEVER) == DATED
    assert len(outbox) == 1
