// A provider's subscriber: accepts the requests of the accounts that it is given, and leaves the others to a person.
// Stopped and started again it goes on where it was.
//
//   node examples/accept-by-rule.ts .privatelink/run.json provider.token resume.token 2000000000000002 ...
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, HoldReason, RemoteError } from '@privatelink/client';

const [runFile = '', tokenFile = '', resumeFile = '', ...welcome] = process.argv.slice(2);
const { grpc } = JSON.parse(readFileSync(runFile, 'utf8'));
const privatelink = connect({ addresses: grpc, token: { file: tokenFile } });

/** Of what was told before, some has been decided since: only what still waits is accepted, unless it changes now. */
const acceptIfWaiting = async (connectionId: string): Promise<void> => {
  try {
    const { connection, revision } = await privatelink.broker.getConnection({ connectionId });
    const waits = connection?.holds.some(({ reason }) => reason === HoldReason.AWAITING_ACCEPTANCE);
    if (!waits || !welcome.includes(connection?.endpointAccountId ?? '')) return;
    await privatelink.broker.acceptConnection({ connectionId, message: 'welcome', expectedRevision: revision });
    console.log(`${connectionId} accepted`);
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    if (error.is('CONNECTION_NOT_FOUND')) return;
    // It changed meanwhile, and is looked at once more.
    if (error.code === 10) return acceptIfWaiting(connectionId);
    throw error;
  }
};

const resumeToken = existsSync(resumeFile) ? readFileSync(resumeFile, 'utf8') : '';
const filter = 'resource_type = connection AND type = ConnectionRequested';
for await (const told of privatelink.events('broker', { resumeToken, filter })) {
  if (told.event.resource?.$case === 'connection') await acceptIfWaiting(told.event.resource.value.connectionId);
  writeFileSync(resumeFile, told.resumeToken);
}
