/**
 * Be one charging station with the `ocpp-rpc` package, strict validation of everything sent and received.
 *
 * Usage: node station.js URL IDENTITY PASSWORD ocpp1.6|ocpp2.0.1
 * Prints one JSON object per line: {"call": ACTION, "answer": PAYLOAD}, and for what the server asks
 * {"asked": ACTION, "payload": PAYLOAD}. Ends with 0 once all was answered, the server's question included.
 */
"use strict";

const { RPCClient } = require("ocpp-rpc");

const [endpoint, identity, password, protocol] = process.argv.slice(2);

function now() {
  return new Date().toISOString();
}

function say(line) {
  process.stdout.write(JSON.stringify(line) + "\n");
}

const LIVES = { "ocpp1.6": live16, "ocpp2.0.1": live201 };
const STATUS = {
  "ocpp1.6": (status) => ({ connectorId: 1, errorCode: "NoError", status, timestamp: now() }),
  "ocpp2.0.1": (status) => ({ evseId: 1, connectorId: 1, connectorStatus: status, timestamp: now() }),
};

async function live16(call) {
  await call("BootNotification", { chargePointVendor: "ocpp-rpc", chargePointModel: "1.6" });
  await call("Heartbeat", {});
  await call("StatusNotification", STATUS[protocol]("Available"));
  await call("Authorize", { idTag: "CARD-1" });
  await call("StatusNotification", STATUS[protocol]("Preparing"));
  const begun = { connectorId: 1, idTag: "CARD-1", meterStart: 100, timestamp: now() };
  const { transactionId } = await call("StartTransaction", begun);
  await call("StatusNotification", STATUS[protocol]("Charging"));
  const meterValue = [{ timestamp: now(), sampledValue: [{ value: "150" }] }];
  await call("MeterValues", { connectorId: 1, transactionId, meterValue });
  await call("StopTransaction", { transactionId, meterStop: 200, timestamp: now() });
  await call("StatusNotification", STATUS[protocol]("Finishing"));
  await call("StatusNotification", STATUS[protocol]("Faulted"));
}

async function live201(call) {
  await call("BootNotification", {
    reason: "PowerUp",
    chargingStation: { vendorName: "ocpp-rpc", model: "2.0.1" },
  });
  await call("Heartbeat", {});
  await call("StatusNotification", STATUS[protocol]("Available"));
  const idToken = { idToken: "CARD-1", type: "ISO14443" };
  await call("Authorize", { idToken });
  await call("StatusNotification", STATUS[protocol]("Occupied"));
  await call("TransactionEvent", event("Started", 0, "CablePluggedIn", "EVConnected", { idToken }));
  await call("TransactionEvent", event("Updated", 1, "ChargingStateChanged", "Charging"));
  await call("TransactionEvent", event("Ended", 2, "EVDeparted", "Idle"));
  await call("StatusNotification", STATUS[protocol]("Faulted"));
}

function event(eventType, seqNo, triggerReason, chargingState, more = {}) {
  return {
    eventType,
    timestamp: now(),
    triggerReason,
    seqNo,
    transactionInfo: { transactionId: "tx-1", chargingState },
    evse: { id: 1, connectorId: 1 },
    ...more,
  };
}

async function main() {
  const client = new RPCClient({
    endpoint,
    identity,
    password,
    protocols: [protocol],
    strictMode: true,
    reconnect: false,
  });
  client.on("strictValidationFailure", ({ error }) => {
    throw error;
  });
  const asked = new Promise((resolve) => {
    client.handle("TriggerMessage", ({ params }) => {
      say({ asked: "TriggerMessage", payload: params });
      resolve();
      return { status: "Accepted" };
    });
  });
  async function call(action, payload) {
    const answer = await client.call(action, payload);
    say({ call: action, answer });
    return answer;
  }
  await client.connect();
  await LIVES[protocol](call);
  await client.close();
  // A second connection, silent but for a heartbeat: the server has to ask for the status.
  await client.connect();
  await call("Heartbeat", {});
  await asked;
  await call("StatusNotification", STATUS[protocol]("Faulted"));
  await client.close();
}

main().then(
  () => process.exit(0),
  (error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  },
);
