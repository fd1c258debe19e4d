// Serve stations with npm's `ocpp-rpc`, strict validation on and a handler that does nothing.
// node rpc_server.js PORT_FILE
'use strict';

const fs = require('fs');
const { RPCServer } = require('ocpp-rpc');

const server = new RPCServer({ protocols: ['ocpp1.6'], strictMode: true, wssOptions: { perMessageDeflate: false } });

server.auth((accept) => accept());
server.on('client', (client) => client.handle('StatusNotification', () => ({})));

async function main() {
    const listening = await server.listen(0, '127.0.0.1');
    fs.writeFileSync(process.argv[2], String(listening.address().port));
    process.on('SIGTERM', () => process.exit(0));
}

main();
