// Tells PrivateLink which bills are unpaid and which are paid, from a file of JSON lines that another system adds to:
//
//   {"account": "2000000000000002", "resource_id": "ep-...", "invoice": "7", "paid": false}
//
// `resource_id` is left out when the bill is the account's. Run it after each addition:
//
//   node examples/billing-bridge.ts .privatelink/run.json bills.jsonl
import { readFileSync } from 'node:fs';
import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

const [runFile = '', billsFile = ''] = process.argv.slice(2);
const { nats } = JSON.parse(readFileSync(runFile, 'utf8'));
const { user, password, inboxPrefix } = nats.billing;
const connection = await connect({ servers: nats.url, user, pass: password, inboxPrefix });
const stream = jetstream(connection);

const bills = readFileSync(billsFile, 'utf8').split('\n');
for (const [index, line] of bills.entries()) {
  if (line.trim() === '') continue;
  const { account, resource_id, invoice, paid } = JSON.parse(line);
  // The number of its line: what was told by an earlier run has the same one, and is ignored.
  const report = { source: 'billing-bridge', sequence: index + 1, resource_id, message: `invoice ${invoice}` };
  // Answered once it is stored, so that none is lost.
  await stream.publish(`billing.v1.${account}.${paid ? 'settled' : 'overdue'}`, JSON.stringify(report));
  console.log(`${resource_id ?? account} ${paid ? 'settled' : 'overdue'}`);
}
await connection.close();
