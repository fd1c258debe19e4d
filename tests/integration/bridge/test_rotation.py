"""Rotating a key over the real store: cut at every step, the station logs in with whichever key it holds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog

from bridge.app.rotation import Rotated, Rotations, UnderWay
from bridge.core.model import Moment
from bridge.edits import (
    LowersProfile,
    ProfileOrder,
    RotationOrder,
    RotationPending,
    begin_rotations,
    set_profiles,
)
from bridge.inventory_file import parse_inventory
from bridge.store.connections import open_connections
from bridge.store.engine import Store
from bridge.store.inventory import import_inventory
from bridge.store.rotations import NotFit
from bridge.store.station_records import find_station
from bridge.store.transaction import Transaction
from bridge.store.writer import Writer
from csms.auth import StationKeys
from csms.events import OcppVersion, SecurityProfile, StationConnected, StationId
from csms.keys import KeyCheck
from csms.new_keys import Rotation
from csms.operator_calls import CallAnswer, CallOutcome
from csms.orders import Impossible
from csms.records import StationRecord

PEPPER = b"p" * 32
KEYS = StationKeys(PEPPER)
NOW = Moment(datetime(2026, 11, 26, tzinfo=UTC), datetime(2026, 11, 26, tzinfo=UTC))
OLD = "0123456789abcdef" * 2
CSV = (
    "station,version,key,security,evse,connector,evse_id,operator\n"
    f"A,1.6,{OLD},,,1,DE*ABC*E1,north\nB,1.6,,insecure,,1,DE*ABC*E2,north\n"
)
A = StationId("A")
ACCEPTED = CallAnswer(CallOutcome.ANSWERED, {"status": "Accepted"})
REJECTED = CallAnswer(CallOutcome.ANSWERED, {"status": "Rejected"})


class Crash(BaseException):
    """The process ends here."""


@dataclass
class Device:
    """A station that holds one key, and takes another or not; then it answers, or what waits for it crashes."""

    takes: bool = True
    answer: CallAnswer | BaseException = ACCEPTED
    key: str = OLD
    sent: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    forced: list[bool] = field(default_factory=list)

    async def call(
        self,
        station: StationId,
        action: str,
        payload: Mapping[str, Any],
        *,
        timeout: timedelta | None = None,
        force: bool = False,
    ) -> CallAnswer:
        self.sent.append((action, payload))
        self.forced.append(force)
        if self.takes:
            self.key = payload["value"] if "value" in payload else payload["setVariableData"][0]["attributeValue"]
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


def _open(conn: Transaction, openings: Sequence[StationConnected]) -> list[None]:
    open_connections(conn, [(opened, "node", 1) for opened in openings])
    return [None] * len(openings)


def _import(conn: Transaction, files: Sequence[str]) -> list[None]:
    for content in files:
        inventory = parse_inventory(content, operators={"north"}, read_key_file=lambda _: b"")
        import_inventory(conn, inventory, keys=KEYS, now=NOW.now)
    return [None] * len(files)


@dataclass
class Registry:
    """What the bridge knows of stations, and how it answers a login."""

    store: Store
    writer: Writer

    async def known(self, identity: str = "a") -> StationRecord:
        async with self.store.read() as connection:
            found = await connection.run_sync(find_station, identity)
        assert found is not None
        return found

    async def log_in(self, key: str | bytes) -> bool:
        """Decide about a handshake with this key as the server does, and record the connection where it is let in."""
        checking = KeyCheck(PEPPER)
        password = key.encode() if isinstance(key, str) else key
        proved = await checking.proves(await self.known(), password)
        checking.close()
        if proved is None:
            return False
        opened = StationConnected(A, OcppVersion.V16, "127.0.0.1:1", SecurityProfile.BASIC, proved.salt)
        await self.writer.submit(_open, opened)
        return True

    async def rotate(
        self,
        device: Device,
        given: str | None = None,
        *,
        force: bool = False,
        version: OcppVersion = OcppVersion.V16,
    ) -> Rotated:
        rotations = Rotations(self.writer, device, keys=KEYS, clock=lambda: NOW)
        return await rotations.rotate(A, version, given, force=force, timeout=None)


@pytest.fixture
async def registry(store: Store, writer: Writer) -> Registry:
    await writer.submit(_import, CSV)
    return Registry(store, writer)


@pytest.mark.row("T83")
async def test_an_accepted_key_is_good_beside_the_old_one_until_it_is_used_and_then_alone(registry: Registry) -> None:
    device = Device()
    rotated = await registry.rotate(device)
    assert rotated.state is Rotation.ACCEPTED
    assert rotated.key == device.key
    assert device.sent == [("ChangeConfiguration", {"key": "AuthorizationKey", "value": device.key})]
    assert await registry.log_in(OLD)
    assert await registry.log_in(device.key)
    assert not await registry.log_in(OLD)
    assert (await registry.known()).pending is None


async def test_a_station_that_sends_the_bytes_of_a_key_given_in_mixed_case_is_let_in(registry: Registry) -> None:
    given = "aB" * 20
    device = Device()
    assert (await registry.rotate(device, given)).state is Rotation.ACCEPTED
    assert await registry.log_in(bytes.fromhex(given))
    assert not await registry.log_in(OLD)


@pytest.mark.parametrize("version", [OcppVersion.V201, OcppVersion.V21])
@pytest.mark.parametrize(
    ("status", "state", "over"),
    [("Accepted", "accepted", True), ("RebootRequired", "accepted", True), ("Rejected", "refused", False)],
)
async def test_ocpp_2_writes_the_password_as_text(
    registry: Registry, version: OcppVersion, status: str, state: str, over: bool
) -> None:
    variable = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    answer = CallAnswer(CallOutcome.ANSWERED, {"setVariableResult": [{"attributeStatus": status, **variable}]})
    device = Device(takes=over, answer=answer)
    rotated = await registry.rotate(device, version=version)
    assert (rotated.state, rotated.status) == (Rotation(state), status)
    ((action, payload),) = device.sent
    assert (action, payload["setVariableData"][0]["component"]) == ("SetVariables", {"name": "SecurityCtrlr"})
    assert await registry.log_in(device.key)
    assert await registry.log_in(OLD) is not over


@pytest.mark.row("T83")
async def test_the_new_key_is_committed_as_good_before_the_station_gets_it(registry: Registry) -> None:
    class Watching(Device):
        async def call(self, *arguments: Any, **options: Any) -> CallAnswer:
            assert (await registry.known()).pending is not None
            return await super().call(*arguments, **options)

    device = Watching()
    await registry.rotate(device)
    assert device.sent


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        pytest.param(REJECTED, "refused", id="TC_A_09"),
        pytest.param(CallAnswer(CallOutcome.ANSWERED, {"status": "NotSupported"}), "refused", id="TC_A_10"),
        pytest.param(CallAnswer(CallOutcome.REFUSED, code="NotImplemented"), "refused", id="not-implemented"),
        pytest.param(CallAnswer(CallOutcome.BUSY), "unsent", id="nothing-sent"),
        pytest.param(CallAnswer(CallOutcome.FORBIDDEN), "unsent", id="must-not-be-written-to"),
    ],
)
async def test_a_station_that_keeps_its_key_leaves_no_second_one_behind(
    registry: Registry, answer: CallAnswer, state: str
) -> None:
    rotated = await registry.rotate(Device(takes=False, answer=answer))
    assert (rotated.state, rotated.key) == (Rotation(state), None)
    assert (await registry.known()).pending is None
    assert await registry.log_in(OLD)


@pytest.mark.row("T83")
@pytest.mark.parametrize("takes", [False, True], ids=["keeps-the-old", "has-the-new"])
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(CallAnswer(CallOutcome.ANSWERED, {"status": "RebootRequired"}), id="reboot-required"),
        pytest.param(CallAnswer(CallOutcome.TIMED_OUT), id="no-answer"),
        pytest.param(CallAnswer(CallOutcome.GONE), id="connection-lost"),
        pytest.param(CallAnswer(CallOutcome.REFUSED, code="InternalError"), id="unclear-call-error"),
        pytest.param(CallAnswer(CallOutcome.ANSWERED, {"status": "Whatever"}), id="no-word-of-the-standard"),
        pytest.param(asyncio.CancelledError(), id="cancelled"),
        pytest.param(Crash(), id="crashed"),
    ],
)
async def test_whatever_crashes_the_station_logs_in_with_whichever_key_it_holds(
    registry: Registry, answer: CallAnswer | BaseException, takes: bool
) -> None:
    device = Device(takes, answer)
    try:
        await registry.rotate(device)
    except (Crash, asyncio.CancelledError):
        assert isinstance(answer, BaseException)
    assert await registry.log_in(device.key)
    assert ((await registry.known()).pending is None) is takes


@pytest.mark.row("T83")
async def test_a_crash_before_the_refused_key_is_forgotten_locks_nobody_out(registry: Registry) -> None:
    class Stopping(Device):
        async def call(self, *arguments: Any, **options: Any) -> CallAnswer:
            answer = await super().call(*arguments, **options)
            await registry.writer.stop()
            return answer

    rotated = await registry.rotate(Stopping(takes=False, answer=REJECTED))
    assert rotated.state is Rotation.REFUSED
    registry.writer = Writer(registry.store)
    registry.writer.start()
    assert (await registry.known()).pending is not None
    assert await registry.log_in(OLD)
    await registry.writer.stop()


@pytest.mark.row("T83")
async def test_a_login_with_the_new_key_before_the_answer_outlives_a_refusal(registry: Registry) -> None:
    class Hasty(Device):
        async def call(self, *arguments: Any, **options: Any) -> CallAnswer:
            answer = await super().call(*arguments, **options)
            assert await registry.log_in(self.key)
            return answer

    device = Hasty(answer=REJECTED)
    await registry.rotate(device)
    assert await registry.log_in(device.key)


async def test_a_second_rotation_is_refused_while_it_is_unclear_which_key_the_station_holds(registry: Registry) -> None:
    first = Device(answer=CallAnswer(CallOutcome.TIMED_OUT))
    await registry.rotate(first)
    second = Device(key=first.key)
    with pytest.raises(RotationPending, match="--force"):
        await registry.rotate(second)
    assert second.sent == []
    assert await registry.log_in(first.key)
    assert (await registry.rotate(second)).state is Rotation.ACCEPTED


async def test_the_same_key_may_be_sent_again_and_a_refusal_then_forgets_nothing(registry: Registry) -> None:
    key = "ab" * 20
    device = Device(answer=CallAnswer(CallOutcome.TIMED_OUT))
    await registry.rotate(device, key)
    again = Device(takes=False, answer=REJECTED, key=device.key)
    assert (await registry.rotate(again, key)).state is Rotation.REFUSED
    assert await registry.log_in(key)


@pytest.mark.row("T83")
@pytest.mark.parametrize("held", [0, 1, 2, 3], ids=["the-old", "first-sent", "second-sent", "third-sent"])
async def test_forced_rotations_keep_every_key_that_the_station_may_hold(registry: Registry, held: int) -> None:
    keys = [OLD, "a1" * 20, "b2" * 20, "c3" * 20]
    for key in keys[1:]:
        await registry.rotate(Device(answer=CallAnswer(CallOutcome.TIMED_OUT)), key, force=True)
    assert await registry.log_in(keys[held])
    over, still = keys[:held], keys[held:]
    for key in over:
        assert not await registry.log_in(key)
    for key in still:
        assert await registry.log_in(key), "sent later, and perhaps applied later"
    assert (await registry.known()).pending is None


async def test_a_forced_key_that_is_refused_leaves_the_ones_before_it(registry: Registry) -> None:
    await registry.rotate(Device(answer=CallAnswer(CallOutcome.TIMED_OUT)), "a1" * 20)
    device = Device(takes=False, answer=REJECTED)
    await registry.rotate(device, "b2" * 20, force=True)
    assert device.forced == [True]
    assert not await registry.log_in("b2" * 20)
    assert await registry.log_in("a1" * 20)


async def test_keys_of_a_rotation_that_is_over_do_not_come_back_with_the_next(registry: Registry) -> None:
    silent = Device(answer=CallAnswer(CallOutcome.TIMED_OUT))
    for key in ("a1" * 20, "b2" * 20):
        await registry.rotate(silent, key, force=True)
    assert await registry.log_in("b2" * 20)
    await registry.rotate(silent, "c3" * 20)
    assert not await registry.log_in("a1" * 20)
    assert not await registry.log_in(OLD)
    assert await registry.log_in("b2" * 20)


async def test_a_file_from_before_several_rotations_does_not_lock_the_station_out(registry: Registry) -> None:
    device = Device()
    for _ in range(3):
        await registry.rotate(device)
        assert await registry.log_in(device.key)
        await registry.writer.submit(_import, CSV)
        assert await registry.log_in(device.key)


@pytest.mark.parametrize("held", [0, 1, 2], ids=["the-old", "first-sent", "second-sent"])
@pytest.mark.parametrize("listed", [0, 1, 2], ids=["file-old", "file-first", "file-second"])
async def test_a_file_with_any_key_of_a_rotation_leaves_all_of_them_good(
    registry: Registry, held: int, listed: int
) -> None:
    keys = [OLD, "a1" * 20, "b2" * 20]
    for key in keys[1:]:
        await registry.rotate(Device(answer=CallAnswer(CallOutcome.TIMED_OUT)), key, force=True)
    await registry.writer.submit(_import, CSV.replace(OLD, keys[listed]))
    assert await registry.log_in(keys[held])


async def test_two_imports_bring_a_key_back_that_a_rotation_has_replaced(registry: Registry) -> None:
    """As docs/stations.md says of a station that went back to its old key."""
    device = Device()
    await registry.rotate(device)
    assert await registry.log_in(device.key)
    await registry.writer.submit(_import, CSV)
    assert not await registry.log_in(OLD)
    await registry.writer.submit(_import, CSV.replace(f"{OLD},,", ",insecure,"))
    await registry.writer.submit(_import, CSV)
    assert await registry.log_in(OLD)
    assert not await registry.log_in(device.key)


async def test_two_rotations_at_once_cannot_forget_each_others_key(registry: Registry) -> None:
    """The first is refused, the second sends the same key and is accepted: nobody may forget it in between."""
    key, asked, go_on = "ab" * 20, asyncio.Event(), asyncio.Event()

    class Moody(Device):
        async def call(self, *arguments: Any, **options: Any) -> CallAnswer:
            self.takes = bool(self.sent)
            answer = await super().call(*arguments, **options)
            asked.set()
            await go_on.wait()
            return answer if self.takes else REJECTED

    device = Moody()
    rotations = Rotations(registry.writer, device, keys=KEYS, clock=lambda: NOW)
    first = asyncio.create_task(rotations.rotate(A, OcppVersion.V16, key, force=False, timeout=None))
    await asked.wait()
    again = asyncio.create_task(rotations.rotate(A, OcppVersion.V16, key, force=True, timeout=None))
    await asyncio.wait([again], timeout=0.05)
    go_on.set()
    assert (await first).state is Rotation.REFUSED
    with pytest.raises(UnderWay, match="at this moment"):
        await again
    assert await registry.log_in(device.key)
    assert (await rotations.rotate(A, OcppVersion.V16, key, force=False, timeout=None)).state is Rotation.ACCEPTED
    assert await registry.log_in(key)


async def test_so_many_keys_are_kept_and_no_more(registry: Registry) -> None:
    silent = Device(answer=CallAnswer(CallOutcome.TIMED_OUT))
    for number in range(5):
        await registry.rotate(silent, f"{number:02x}" * 20, force=True)
    with pytest.raises(NotFit, match="one of 6 keys"):
        await registry.rotate(silent, "ff" * 20, force=True)
    assert len(silent.sent) == 5


async def test_an_import_of_another_key_ends_every_rotation(registry: Registry) -> None:
    silent = Device(answer=CallAnswer(CallOutcome.TIMED_OUT))
    for key in ("a1" * 20, "b2" * 20):
        await registry.rotate(silent, key, force=True)
    other = "a key that was set by hand"
    await registry.writer.submit(_import, CSV.replace(OLD, other))
    assert ((await registry.known()).pending, (await registry.known()).earlier) == (None, ())
    assert await registry.log_in(other)


@pytest.mark.parametrize(
    ("station", "key", "refusal", "why"),
    [
        pytest.param("A", OLD, NotFit, "has this key already", id="the-same"),
        pytest.param("B", "ab" * 20, NotFit, "proves itself by nothing at all", id="insecure"),
        pytest.param("X", "ab" * 20, NotFit, "no station 'X'", id="unknown"),
    ],
)
async def test_a_key_that_makes_no_sense_is_not_begun(
    registry: Registry, station: str, key: str, refusal: type[Exception], why: str
) -> None:
    order = RotationOrder(StationId(station), key.encode(), KEYS, force=True, at=NOW)
    with pytest.raises(refusal, match=why):
        await registry.writer.submit(begin_rotations, order)


async def test_a_key_of_the_wrong_form_is_neither_kept_nor_sent_nor_shown(registry: Registry) -> None:
    device = Device()
    with pytest.raises(Impossible) as refused:
        await registry.rotate(device, "not hex digits")
    assert "not hex digits" not in str(refused.value)
    assert device.sent == []
    assert (await registry.known()).pending is None


async def test_no_log_line_and_no_answer_shows_the_key(registry: Registry) -> None:
    key = "ab" * 20
    quoting = CallAnswer(CallOutcome.REFUSED, code="InternalError", why=f"cannot store {key.upper()}")
    with structlog.testing.capture_logs() as logged:
        rotated = await registry.rotate(Device(answer=quoting), key)
    assert rotated.answer.why == "cannot store ***"
    assert rotated.key is None
    assert [line["event"] for line in logged] == ["key_rotation_ended"]
    order = RotationOrder(A, key.encode(), KEYS, force=False, at=NOW)
    assert all(key not in repr(each).lower() for each in (logged, rotated, order))


async def profile(registry: Registry) -> tuple[int, int]:
    found = await registry.known()
    return int(found.security), int(found.reached)


async def test_a_profile_is_raised_at_once_and_lowered_only_with_a_yes(registry: Registry) -> None:
    await registry.writer.submit(set_profiles, ProfileOrder(A, SecurityProfile.TLS_BASIC, yes=False))
    assert await profile(registry) == (2, 2)
    with pytest.raises(LowersProfile, match="must use security profile 2"):
        await registry.writer.submit(set_profiles, ProfileOrder(A, SecurityProfile.BASIC, yes=False))
    assert await profile(registry) == (2, 2)
    await registry.writer.submit(set_profiles, ProfileOrder(A, SecurityProfile.BASIC, yes=True))
    assert await profile(registry) == (1, 1)
    assert await registry.log_in(OLD)


async def test_a_profile_with_a_key_needs_one(registry: Registry) -> None:
    with pytest.raises(NotFit, match="B has no key, which profile 1 needs"):
        await registry.writer.submit(set_profiles, ProfileOrder(StationId("B"), SecurityProfile.BASIC, yes=True))
