import json

import pytest

from simulators.fleet.garbling import Garbler, Outgoing

BOOT_16 = '[2,"m1","BootNotification",{"chargePointVendor":"v","chargePointModel":"m"}]'
BOOT_201 = '[2,"m1","BootNotification",{"chargingStation":{"model":"m","vendorName":"v"},"reason":"PowerUp"}]'
FAULTED = '[2,"m1","StatusNotification",{"connectorId":1,"errorCode":"GroundFailure","status":"Faulted"}]'
FREE = '[2,"m1","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available"}]'
CAPITALS = '[2,"m1","StatusNotification",{"ConnectorId":1,"ErrorCode":"NoError","Status":"Available"}]'
METER = '[2,"m1","MeterValues",{"connectorId":1,"meterValue":[{"sampledValue":[{"value":"3"}]}],"transactionId":41}]'
STRANGE = '{"value":"50","unit":"Hz","context":"Alfen","measurand":"Request.Energy"}'
METER_15 = '[2,"m1","MeterValues",{"connectorId":1,"transactionId":41,"values":[{"timestamp":null,"value":"3"}]}]'
ANSWER = '[3,"s1",{"status":"Accepted"}]'


def written(quirk, text):
    (message,) = Garbler({quirk}).outgoing(text)
    return message.content


@pytest.mark.parametrize("text", [BOOT_16, BOOT_201, FAULTED, FREE, METER, ANSWER])
def test_without_quirks_every_message_goes_out_as_it_is(text):
    assert Garbler(()).outgoing(text) == (Outgoing(text),)


@pytest.mark.parametrize(
    ("quirk", "text", "sent"),
    [
        ("truncated-json", ANSWER, '[3,"s1",{"status":"Accepted"}'),
        ("truncated-json", FREE, FREE),
        ("invalid-meter-values", METER, METER.replace('"transactionId":41', '"transactionId":')),
        ("leading-comma", METER, METER.replace("[{", "[,{", 1)),
        ("strange-meter-values", METER, METER.replace('{"value":"3"}', STRANGE)),
        ("meter-values-of-15", METER, METER_15),
        ("line-breaks", ANSWER, ANSWER.replace(",", ",\r\n\t", 1)),
        ("junk-characters", ANSWER, "\ufeff" + ANSWER + "\0"),
        ("error-code-error", FAULTED, FAULTED.replace("GroundFailure", "Error")),
        ("error-code-error", FREE, FREE),
        ("wrong-case-keys", FREE, CAPITALS),
        ("numeric-strings", FREE, FREE.replace(":1,", ':"1",')),
        ("empty-vendor", BOOT_16, BOOT_16.replace('"v"', '""')),
        ("empty-vendor", BOOT_201, BOOT_201.replace('"v"', '""')),
    ],
)
def test_a_quirk_writes_its_message_so_and_leaves_the_others(quirk, text, sent):
    assert written(quirk, text) == sent


@pytest.mark.parametrize(
    ("text", "serial_of"),
    [
        (BOOT_16, lambda boot: boot["chargeBoxSerialNumber"]),
        (BOOT_201, lambda boot: boot["chargingStation"]["serialNumber"]),
    ],
)
def test_a_long_serial_has_33_characters(text, serial_of):
    assert len(serial_of(json.loads(written("long-serial", text))[3])) == 33


@pytest.mark.parametrize(("text", "times"), [(FREE, 2), (BOOT_16, 1), (METER, 1), (ANSWER, 1)])
def test_a_status_is_sent_twice_word_for_word(text, times):
    assert Garbler({"sent-twice"}).outgoing(text) == (Outgoing(text),) * times


def test_a_large_message_comes_before_the_first_one_of_a_connection():
    garbler = Garbler({"large-messages"})
    large, boot = garbler.outgoing(BOOT_16)
    assert boot == Outgoing(BOOT_16)
    kind, _, action, payload = json.loads(large.content)
    assert (kind, action, len(payload["data"])) == (2, "DataTransfer", 500_000)
    assert garbler.outgoing(FREE) == (Outgoing(FREE),)


def test_messages_of_the_security_extension_come_before_the_first_one_of_a_connection():
    garbler = Garbler({"security-actions"})
    *extra, boot = [message.content for message in garbler.outgoing(BOOT_16)]
    actions = [
        "SecurityEventNotification",
        "LogStatusNotification",
        "SignCertificate",
        "SignedFirmwareStatusNotification",
    ]
    assert [json.loads(text)[2] for text in extra] == actions
    assert boot == BOOT_16
    assert garbler.outgoing(FREE) == (Outgoing(FREE),)


def test_line_breaks_leave_a_message_what_it_was():
    assert json.loads(written("line-breaks", METER)) == json.loads(METER)


def test_binary_messages_hold_the_same_bytes():
    assert Garbler({"binary-frames"}).outgoing(FREE) == (Outgoing(FREE.encode(), is_text=False),)


def test_an_answer_that_nobody_asked_for_goes_before_each_request_with_an_id_of_its_own():
    garbler = Garbler({"unsolicited-results"})
    first, second = garbler.outgoing(FREE), garbler.outgoing(FREE)
    assert [message.content for message in (*first, *second)] == [
        '[3,"nobody-asked-1",{}]',
        FREE,
        '[3,"nobody-asked-2",{}]',
        FREE,
    ]
    assert garbler.outgoing(ANSWER) == (Outgoing(ANSWER),)


def test_a_text_message_that_is_not_utf8_goes_out_once_in_a_connection():
    garbler = Garbler({"non-utf8"})
    greeting, first = garbler.outgoing(BOOT_16)
    assert (greeting.is_text, first) == (True, Outgoing(BOOT_16))
    with pytest.raises(UnicodeDecodeError):
        greeting.content.decode()
    assert garbler.outgoing(FREE) == (Outgoing(FREE),)


def test_several_quirks_of_one_message_all_show():
    (message,) = Garbler({"error-code-error", "numeric-strings", "binary-frames"}).outgoing(FAULTED)
    payload = json.loads(message.content)[3]
    assert (payload["errorCode"], payload["connectorId"], message.is_text) == ("Error", "1", False)
