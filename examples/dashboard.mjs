// A page of an account's connections, live: node examples/dashboard.mjs .privatelink/run.json account.token 8090
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from '@privatelink/client';

const [runFile, tokenFile, port = '8090'] = process.argv.slice(2);
const { grpc } = JSON.parse(readFileSync(runFile, 'utf8'));
const privatelink = connect({ addresses: grpc, token: { file: tokenFile } });

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Connections</title>
<h1>Connections</h1>
<table><thead><tr><th>Connection<th>Service<th>Status</thead><tbody></tbody></table>
<script type="module">
  const rows = new Map();
  const body = document.querySelector('tbody');
  const live = new EventSource('/live');
  // After an interruption everything is told anew.
  live.onopen = () => { rows.clear(); body.replaceChildren(); };
  live.onmessage = ({ data }) => {
    const { id, gone, cells } = JSON.parse(data);
    if (!rows.has(id)) rows.set(id, body.insertRow());
    const row = rows.get(id);
    row.replaceChildren();
    for (const text of cells) row.insertCell().textContent = text;
    if (gone) { row.remove(); rows.delete(id); }
  };
</script>`;

const serveLive = async (reply) => {
  const left = new AbortController();
  reply.on('close', () => left.abort());
  reply.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  for await (const { connection, deleted } of privatelink.broker.watchConnections({}, { signal: left.signal })) {
    if (!connection) continue;
    const { connectionId: id, serviceId, status } = connection;
    const cells = [id, serviceId, status.replace('CONNECTION_STATUS_', '')];
    reply.write(`data: ${JSON.stringify({ id, gone: deleted, cells })}\n\n`);
  }
};

createServer((request, reply) => {
  if (request.url !== '/live') return reply.setHeader('content-type', 'text/html').end(page);
  // The browser comes again when the stream breaks off.
  serveLive(reply)
    .catch((error) => console.error(error.message))
    .finally(() => reply.end());
}).listen(Number(port), '127.0.0.1', function () {
  console.log(`http://127.0.0.1:${this.address().port}/`);
});
