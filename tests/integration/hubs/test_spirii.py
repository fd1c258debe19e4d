"""The mock Spirii over a real socket: the example of the document, each documented answer, and foreign entries."""

import asyncio

import aiohttp
import pytest

from simulators.hubs.mocks import MockOptions, Mocks

PATH = "/v2/temporary-evse-statuses"
EVSE = "DK*SPI*E123*1"
EXAMPLE = {"temporaryStatus": "MAINTENANCE", "validFrom": "2025-04-23T10:00:00Z", "validTo": "2025-04-23T18:00:00Z"}
BOUND = aiohttp.ClientTimeout(total=5)


class Client:
    def __init__(self, mocks, session):
        self.mocks = mocks
        self.session = session

    async def ask(self, method, path="", document=None, key="spirii-key"):
        """Return (status, body, headers)."""
        headers = {"Authorization": f"Bearer {key}"}
        url = f"{self.mocks.spirii_url}{PATH}{path}"
        async with self.session.request(method, url, json=document, headers=headers) as response:
            body = None if response.status == 204 else await response.json(content_type=None)
            return response.status, body, response.headers

    async def control(self, method, path, document=None):
        url = f"{self.mocks.control_url}/spirii/{path}"
        async with self.session.request(method, url, json=document) as response:
            assert response.status < 300
            return None if response.status == 204 else await response.json()

    async def until(self, listing, length=1):
        """Wait until the listing has so many items."""
        async with asyncio.timeout(5):
            while len(await listing()) < length:  # noqa: ASYNC110 - the hub is asked over HTTP, and has no wake-up
                await asyncio.sleep(0.01)

    async def fault(self, **spec):
        await self.control("POST", "faults", spec)

    async def create(self, **fields):
        return (await self.ask("POST", "", {"evseId": EVSE} | EXAMPLE | fields))[:2]

    async def list(self):
        return (await self.ask("GET", "?activeOnly=false"))[1]


@pytest.fixture
async def client():
    async with Mocks(MockOptions(seed=1)) as mocks, aiohttp.ClientSession(timeout=BOUND) as session:
        yield Client(mocks, session)


async def test_example_of_the_document_runs_from_creation_to_deletion(client):
    entry = {"id": 1, "evseId": EVSE} | EXAMPLE
    assert await client.create() == (201, entry)
    status, body, headers = await client.ask("PATCH", "/1", EXAMPLE | {"temporaryStatus": "BLOCKED"})
    assert (status, body) == (200, entry | {"temporaryStatus": "BLOCKED"})
    assert headers["X-RateLimit-Limit"] == "120"
    assert await client.list() == [body]
    assert (await client.ask("GET"))[1] == []
    assert await client.control("GET", "documents/temporary") == {"1": body | {"made_by": 0}}
    assert (await client.ask("DELETE", "/1"))[0] == 204
    assert await client.list() == []
    assert await client.control("GET", "violations") == []
    journal = await client.control("GET", "journal")
    assert [entry["action"] for entry in journal] == ["create", "update", "list", "list", "delete", "list"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found"),
        (409, "conflict"),
        (422, "validation_error"),
        (429, "rate_limit_exceeded"),
        (500, "api_error"),
        (503, "api_error"),
    ],
)
@pytest.mark.parametrize(
    ("action", "method", "path"),
    [
        ("create", "POST", ""),
        ("list", "GET", "?activeOnly=false"),
        ("update", "PATCH", "/1"),
        ("delete", "DELETE", "/1"),
    ],
)
async def test_every_documented_answer_can_be_switched_on(client, status, kind, action, method, path):
    await client.create()
    await client.fault(kind="status", status=status, code="scripted", action=[action], count=1, retry_after="7")
    document = {"evseId": EVSE, "temporaryStatus": "BLOCKED"} if action == "create" else {}
    answered, body, headers = await client.ask(method, path, document if method != "GET" else None)
    assert answered == status
    assert (body["error"]["type"], body["error"]["code"]) == (kind, "scripted")
    assert set(body["error"]) == {"type", "code", "message", "param", "request_id"}
    assert (headers["Retry-After"], "X-RateLimit-Reset" in headers) == ("7", True)
    assert await client.list() == [{"id": 1, "evseId": EVSE} | EXAMPLE]


async def test_rate_limit_can_be_switched_on_and_be_reached(client):
    await client.fault(kind="rate_limit", retry_after="3", count=1)
    status, _, headers = await client.ask("GET")
    assert (status, headers["Retry-After"], headers["X-RateLimit-Remaining"]) == (429, "3", "0")
    await client.control("PATCH", "options", {"writes_per_minute": 1})
    assert (await client.create())[0] == 201
    status, _, headers = await client.ask("DELETE", "/1")
    assert status == 429
    assert 1 <= int(headers["Retry-After"]) <= 60
    await client.control("PATCH", "options", {"writes_per_minute": 120})
    assert (await client.ask("DELETE", "/1"))[0] == 204


@pytest.mark.parametrize(("kind", "made"), [("reset_before", 0), ("reset_after", 1)])
async def test_lost_answer_may_or_may_not_have_made_the_entry(client, kind, made):
    await client.fault(kind=kind, count=1)
    with pytest.raises(aiohttp.ClientError):
        await client.create()
    assert len(await client.list()) == made
    assert (await client.create())[0] == (409 if made else 201)
    assert len(await client.list()) == 1


async def test_late_creation_comes_after_the_one_that_was_sent_again(client):
    await client.fault(kind="late", delay_s=0.3, count=1)
    lost = asyncio.create_task(client.create())
    await client.until(lambda: client.control("GET", "journal"))
    lost.cancel()
    assert (await client.create())[0] == 201
    await client.until(client.list, 2)
    assert [entry["id"] for entry in await client.list()] == [1, 2]


async def test_hanging_hub_never_answers(client):
    await client.fault(kind="hang", count=1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await client.create()
    assert await client.list() == []


async def test_foreign_entry_can_be_put_in_and_touching_it_is_noted(client):
    theirs = {"id": 900, "evse_id": EVSE, "status": "BLOCKED", "valid_from": "2025-04-23T08:00:00Z"}
    await client.control("PATCH", "options", {"entries": [theirs]})
    assert [entry["id"] for entry in await client.list()] == [900]
    assert await client.control("GET", "violations") == []
    assert (await client.ask("DELETE", "/900"))[0] == 204
    assert await client.list() == []
    assert [one["what"] for one in await client.control("GET", "violations")] == ["touched a foreign entry"]
