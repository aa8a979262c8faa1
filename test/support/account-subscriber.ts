import { connect } from '@nats-io/transport-node';
import { Fact } from '@privatelink/proto/events/v1/fact';

// What `plctl --account ... nats-user create -o json` says.
const { url, user, password, inboxPrefix, subjects } = JSON.parse(process.argv[2] ?? '{}');
const connection = await connect({ servers: url, user, pass: password, inboxPrefix, maxReconnectAttempts: -1 });
const known = new Map<string, bigint>();
for await (const { data, headers } of connection.subscribe(subjects)) {
  const { sourceStream, sourceRevision, type, transition } = Fact.decode(data);
  // What comes again is known already.
  if (sourceRevision <= (known.get(sourceStream) ?? -1n)) continue;
  known.set(sourceStream, sourceRevision);
  console.log(headers?.get('ce-time'), headers?.get('ce-subject'), type, transition?.to ?? '');
}
