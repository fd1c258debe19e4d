"""Canaries in every place of the three versions' schemas where a secret or a driver's identity can be."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest

from bridge.wire_log import Masking

CANARY = "CaNaRy"
DRIVER = {
    *("idTag", "parentIdTag", "idToken", "idTokens", "groupIdToken", "additionalIdToken", "customerIdentifier"),
    "prioritizedEMAIDs",
}
SECRET = {"password", "apnPassword", "basicAuthPassword", "simPin", "exiRequest", "exiResponse", "signedMeterData"}
HARMLESS = {"idTagInfo", "idTokenInfo"}
"""What holds these names and is not of their kind: what was said of an idTag."""
OF_ONE_ACTION = {("Authorize", "certificate"), ("NotifyCustomerInformation", "data")}
SUSPICIOUS = re.compile(
    "[iI]dTag|[tT]oken|[pP]assw|[pP]in$|[sS]ecret|emaid|credential|exi[A-Z]|signedMeterData|customerId"
)


def schemas() -> Iterator[tuple[str, str, Any]]:
    for version in ("v16", "v201", "v21"):
        for file in sorted(files(f"ocpp.{version}").joinpath("schemas").iterdir(), key=lambda file: file.name):
            if file.name.endswith(".json"):
                yield version, file.name.removesuffix(".json"), json.loads(file.read_text(encoding="utf-8-sig"))


ALL = list(schemas())


class Filler:
    """Fills every member of a schema, with canaries where the standards put a secret or a driver."""

    def __init__(self, root: Any, action: str) -> None:
        self.root = root
        self.action = action
        self.canaries = 0

    def fill(self, schema: Any, name: str = "", delicate: bool = False, depth: int = 0) -> Any:
        while "$ref" in schema:
            schema = self.root["definitions"][schema["$ref"].rpartition("/")[2]]
        delicate = (delicate and name not in ("type", "customData")) or self._is_delicate(name)
        kind = schema.get("type")
        if "properties" in schema:
            if depth > 8:
                return {}
            return {
                member: self._vpn_key(name, member) or self.fill(each, member, delicate, depth + 1)
                for member, each in schema["properties"].items()
                if member != "customData"
            }
        if kind == "array":
            return [self.fill(schema["items"], name, delicate, depth + 1)]
        if delicate and kind == "string" and "enum" not in schema:
            return self._canary()
        return {"string": schema.get("enum", ["text"])[0], "integer": 1, "number": 1.5, "boolean": True}.get(kind)

    def _is_delicate(self, name: str) -> bool:
        return name in DRIVER | SECRET or any(
            self.action.startswith(action) and name == member for action, member in OF_ONE_ACTION
        )

    def _vpn_key(self, parent: str, member: str) -> str | None:
        return self._canary() if (parent, member) == ("vpn", "key") else None

    def _canary(self) -> str:
        self.canaries += 1
        return f"{CANARY}{self.canaries}"


def frame_of(name: str, payload: Any) -> list[Any]:
    if name.endswith("Response"):
        return [3, "17", payload]
    return [2, "17", name.removesuffix("Request"), payload]


@pytest.mark.parametrize(("version", "name", "schema"), ALL, ids=[f"{version} {name}" for version, name, _ in ALL])
def test_no_canary_of_a_message_comes_through(version: str, name: str, schema: Any) -> None:
    filler = Filler(schema, name)
    frame = frame_of(name, filler.fill(schema))
    text = json.dumps(frame)
    assert text.count(CANARY) == filler.canaries
    masked = Masking(b"key").masked(text)
    assert CANARY.casefold() not in masked.casefold()
    assert json.loads(masked)[:2] == frame[:2]
    assert CANARY.casefold() not in Masking(b"key").masked(text[:-3]).casefold()


def test_the_canaries_are_everywhere_where_the_standards_have_such_a_member() -> None:
    total = 0
    for _, name, schema in ALL:
        filler = Filler(schema, name)
        filler.fill(schema)
        total += filler.canaries
    assert total > 70


def test_every_suspicious_member_of_the_schemas_is_known_here() -> None:
    found = {name for _, _, schema in ALL for name in _names(schema) if SUSPICIOUS.search(name)}
    assert found - DRIVER - SECRET - HARMLESS == set()


def _names(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield from schema["properties"]
        for each in schema.values():
            yield from _names(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from _names(each)


SETTINGS = [
    [2, "1", "ChangeConfiguration", {"key": "AuthorizationKey", "value": CANARY}],
    [3, "1", {"configurationKey": [{"key": "authorizationkey", "readonly": False, "value": CANARY}]}],
    [3, "1", {"configurationKey": [{"key": "Vendor.WifiPassword", "readonly": False, "value": CANARY}]}],
    [3, "1", {"configurationKey": [{"key": "FreevendIdTag", "readonly": False, "value": CANARY}]}],
    [3, "1", {"configurationKey": [{"key": "SimPin", "readonly": False, "value": CANARY}]}],
    [
        2,
        "1",
        "SetVariables",
        {
            "setVariableData": [
                {
                    "attributeValue": CANARY,
                    "component": {"name": "SecurityCtrlr"},
                    "variable": {"name": "BasicAuthPassword"},
                }
            ]
        },
    ],
    [
        3,
        "1",
        {
            "getVariableResult": [
                {
                    "attributeStatus": "Accepted",
                    "attributeValue": CANARY,
                    "component": {"name": "NetworkConfiguration"},
                    "variable": {"name": "VpnKey"},
                }
            ]
        },
    ],
    [
        2,
        "1",
        "NotifyReport",
        {
            "reportData": [
                {
                    "component": {"name": "AuthCtrlr"},
                    "variable": {"name": "MasterPassGroupId"},
                    "variableAttribute": [{"type": "Actual", "value": CANARY}],
                    "variableCharacteristics": {
                        "dataType": "string",
                        "valuesList": CANARY,
                        "supportsMonitoring": False,
                    },
                }
            ]
        },
    ],
    [
        2,
        "1",
        "NotifyEvent",
        {"eventData": [{"actualValue": CANARY, "component": {"name": "C"}, "variable": {"name": "BasicAuthPassword"}}]},
    ],
    [2, "1", "GetDiagnostics", {"location": f"ftp://user:{CANARY}@host.example/folder"}],
    [2, "1", "GetDiagnostics", {"location": f"ftp://user:a@{CANARY}@host.example/folder"}],
    [2, "1", "GetDiagnostics", {"location": f"ftp://user:a/{CANARY}@host.example/folder"}],
    [2, "1", "GetLog", {"log": {"remoteLocation": f"https://host.example/log?se=1&sig={CANARY}"}}],
    [3, "1", {"configurationKey": [{"Key": "AuthorizationKey", "Value": CANARY}]}],
    [2, "1", "ChangeConfiguration", {"key": " AuthorizationKey ", "value": CANARY}],
    [2, "1", "Authorize", {" idTag ": CANARY}],
    [
        2,
        "1",
        "NotifyEvent",
        {
            "eventData": [
                {"actualValue": CANARY, "component": {"name": "ConnectedEV"}, "variable": {"name": "VehicleID"}}
            ]
        },
    ],
    [4, "1", "GenericError", f"idTag: {CANARY} is not known here", {}],
    [2, "1", "StatusNotification", {"connectorId": 1, "info": f"password={CANARY}"}],
    [2, "1", "MeterValues", {"meterValue": [{"sampledValue": [{"format": "SignedData", "value": f"OCMF|{CANARY}"}]}]}],
    [2, "1", "DataTransfer", {"vendorId": "V", "data": f'{{"card":1,"idTag":"{CANARY}"}}'}],
    [2, "1", "DataTransfer", {"vendorId": "V", "data": f"user=1;password={CANARY};x"}],
    [2, "1", "DataTransfer", {"vendorId": "V", "data": {"list": [{"id_tag": CANARY}]}}],
    [2, "1", "DataTransfer", {"vendorId": "V", "data": json.dumps({"rfid": [["a"], {"x": CANARY}]})}],
    [2, "1", "Vendor", {"IDTAG": CANARY, "id-tag": CANARY, "rfid": CANARY, "uid": CANARY, "Api_Key": CANARY}],
    [6, "1", "NotifyPeriodicEventStream", {"idToken": {"idToken": CANARY, "type": "Central"}}],
    [2, "1", "Authorize", {"idTag": [CANARY, {"deep": CANARY}]}],
    [4, "1", "GenericError", "no", {"idTag": CANARY, "password": [CANARY]}],
]


@pytest.mark.parametrize("frame", SETTINGS, ids=lambda frame: json.dumps(frame)[:70])
@pytest.mark.parametrize("ending", ["whole", "cut", "padded"])
def test_secrets_in_settings_addresses_and_free_text_are_masked(frame: list[Any], ending: str) -> None:
    text = json.dumps(frame)
    text = {"whole": text, "cut": text[:-1], "padded": f"\ufeff{text}\x00"}[ending]
    assert CANARY not in Masking(b"key").masked(text)


@pytest.mark.parametrize(
    "text",
    [
        '[2,"1","X",{"\\u0069dTag":"CaNaRy"}]',
        '[2,"1","X",{"id\x00Tag":"CaNaRy"}]',
        '[2,"1","X",{"id\x00Tag":"CaNaRy"',
        '[2,"1","Authorize",{"idTag":"CaNaRy","idTag":"CaNaRy"}]',
        '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"CaNaRy","key":"HeartbeatInterval"}]',
        '[2,"1","GetDiagnostics",{"location":"ftp:\\/\\/user:CaNaRy@host\\/x"}]',
        '[2,"1","GetDiagnostics",{"location":"ftp:\\/\\/user:CaNaRy@host\\/x"',
        '[2,"1","GetLog",{"log":{"remoteLocation":"https:\\/\\/host\\/x?sig=CaNaRy"',
        '[2,"1","Authorize",{"idTag":"CaNaRy',
        '[2,"1","Authorize",{"idTag" : "CaNa\\"CaNaRy" , "x":1',
        "[2,'1','Authorize',{'idTag':'CaNaRy'}]",
        "[2,1,Authorize,{idTag:CaNaRy}]",
        '[2,"1","Authorize",{"idTag":CaNaRy CaNaRy,"x":1}]',
        '[2,"1","Authorize",{"idToken":{"type":"Central","idToken":"CaNaRy"}',
        '[2,"1","ClearTariffs",{"idTokens":["a","CaNaRy"]',
        '[2,"1","DataTransfer",{"data":"{\\"idTag\\":\\"CaNaRy\\"}"',
        '[2,"1","ChangeConfiguration",{"value":"CaNaRy","key":"AuthorizationKey"',
        '[2,"1","ChangeConfiguration",{"key":"WifiKey","value":"CaNaRy"',
        "[" * 2000 + '{"idTag":"CaNaRy"}' + "]" * 2000,
        '{"password":' * 600 + '"CaNaRy"' + "}" * 600,
        '[2,"1","Authorize",{"idTag":' + "9" * 5000 + ',"password":"CaNaRy"}]',
    ],
)
def test_frames_that_are_no_good_json_are_masked_too(text: str) -> None:
    assert CANARY not in Masking(b"key").masked(text)


def test_what_has_nothing_delicate_stays_as_it_came() -> None:
    text = '[2, "1",\n "StatusNotification", {"connectorId":1, "errorCode":"NoError", "status":"Available"}]'
    assert Masking(b"key").masked(text) == text
    assert Masking(b"key").masked("[2,\x00 what") == "[2,\x00 what"


@pytest.mark.parametrize(
    "text",
    [
        '[2,"7","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Charging",'
        '"timestamp":"2026-11-21T10:00:00.123Z","idTag":"CaNaRy"}]',
        '[2,"7","StatusNotification",{"connectorId":1,"idTag":"CaNaRy","status":"Charging"}]',
        '[2,"7","Authorize",{"idTag":"CaNaRy"}]',
        '[3,"7",{"status":"Accepted","password":"CaNaRy"}]',
        '[3,"7",{"status":"Accepted"},{"password":"CaNaRy"}]',
        '[3,"7",{"status":"Accepted"}]{"password":"CaNaRy"}',
        '[2,"7","X",{"status":{"password":"CaNaRy"}}]',
        '[2,"7","X",{"status":"ftp://user:CaNaRy@host/"}]',
        '[2,"7","X",{"status":"Accepted","idTag":"CaNaRy"',
        '[2,"7","StatusNotification",{"connectorId":1,"status":"idTag:CaNaRy"}]',
        '[3,"7",{"status":"apikey:CaNaRy"}]',
        '[2,"7","StatusNotification",{"timestamp":"password:CaNaRy"}]',
    ],
)
def test_what_begins_like_a_plain_frame_is_masked_all_the_same(text: str) -> None:
    assert CANARY not in Masking(b"key").masked(text)


def test_the_rest_of_a_masked_frame_stays() -> None:
    frame = [
        2,
        "1",
        "StartTransaction",
        {"connectorId": 1, "idTag": "04AABBCC", "meterStart": 5, "timestamp": "2026-11-20T12:00:00Z"},
    ]
    shown = json.loads(Masking(b"key").masked(json.dumps(frame)))
    tag = shown[3].pop("idTag")
    assert re.fullmatch("idTag#[0-9a-f]{6}", tag)
    assert shown == [
        2,
        "1",
        "StartTransaction",
        {"connectorId": 1, "meterStart": 5, "timestamp": "2026-11-20T12:00:00Z"},
    ]


def test_what_was_said_of_an_id_tag_stays() -> None:
    text = '[3,"1",{"idTagInfo":{"status":"Accepted","expiryDate":"2027-01-01T00:00:00Z"}}]'
    assert Masking(b"key").masked(text) == text


def test_harmless_settings_stay() -> None:
    text = (
        '[3,"1",{"configurationKey":[{"key":"HeartbeatInterval","readonly":false,"value":"300"}],"unknownKey":["X"]}]'
    )
    assert Masking(b"key").masked(text) == text


def test_equal_id_tags_have_one_pseudonym_in_any_case_and_others_another() -> None:
    masking = Masking(b"key")
    assert masking.pseudonym("04aabb") == masking.pseudonym(" 04AABB") != masking.pseudonym("04AABC")
    assert Masking(b"key").pseudonym("04AABB") == masking.pseudonym("04AABB")


def test_pseudonyms_of_two_installations_say_nothing_about_each_other() -> None:
    assert Masking(b"one").pseudonym("04AABB") != Masking(b"other").pseudonym("04AABB")


def test_an_id_tag_seen_before_is_found_in_a_vendors_text() -> None:
    masking = Masking(b"key")
    masking.masked('[2,"1","Authorize",{"idTag":"04AABBCC"}]')
    shown = masking.masked('[2,"2","DataTransfer",{"vendorId":"V","data":"card 04aabbcc at door 2"}]')
    assert json.loads(shown)[3]["data"] == f"card {masking.pseudonym('04AABBCC')} at door 2"


@pytest.mark.parametrize(
    "data",
    [
        '"04aabbcc"',
        '{"tag":"04AABBCC"}',
        '["04AABBCC"]',
        '"{\\"tag\\":\\"04AABBCC\\"}"',
        '"[\\"04AABBCC\\"]"',
        '"<t>04AABBCC',
    ],
)
def test_an_id_tag_seen_before_is_found_in_vendors_data_of_any_shape(data: str) -> None:
    masking = Masking(b"key")
    masking.masked('[2,"1","Authorize",{"idTag":"04AABBCC"}]')
    shown = masking.masked(f'[2,"2","DataTransfer",{{"vendorId":"V","data":{data}}}]')
    assert "04aabbcc" not in shown.casefold()
    assert masking.pseudonym("04AABBCC") in shown


def test_json_in_a_vendors_text_stays_json() -> None:
    data = json.dumps({"idTags": ["04AABBCC"], "list": [{"pin": 1234}], "door": 2})
    masking = Masking(b"key")
    shown = json.loads(masking.masked(json.dumps([2, "1", "DataTransfer", {"vendorId": "V", "data": data}])))
    pseudonym = masking.pseudonym("04AABBCC")
    assert json.loads(shown[3]["data"]) == {"idTags": [pseudonym], "list": [{"pin": "***"}], "door": 2}


def test_a_vendors_text_without_anything_delicate_stays() -> None:
    text = '[2,"1","DataTransfer",{"vendorId":"EV-BOX","messageId":"evbStatusNotification","data":"1,Preparing,,,"}]'
    assert Masking(b"key").masked(text) == text


def test_masking_takes_no_long_time_for_frames_made_to_keep_it_busy() -> None:
    masking = Masking(b"key")
    for piece in ("password", 'idTag"', "idTag: [", '\\"', '"value', "://a", "://", ":\\", 'password="', "[{", "pass"):
        masking.masked(piece * (65536 // len(piece)))
    for piece in ('"status":"a",', '"status":1', '"status":"' + "a" * 63 + '",'):
        masking.masked('[2,"1","X",{' + piece * (65536 // len(piece)))
