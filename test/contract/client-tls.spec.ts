import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { credentials } from '@grpc/grpc-js';
import { connect } from '@privatelink/client';
import {
  type AcceptConnectionRequest as Accept,
  AcceptConnectionResponse,
  type WatchConnectionsRequest as Watch,
  WatchConnectionsResponse,
} from '@privatelink/proto/broker/v1/broker_service';
import { ConnectionStatus } from '@privatelink/proto/broker/v1/connection';
import { createIssuer, type Issuer, startBroker } from '@privatelink/shared/grpc/test-support';
import { serverStream, unary } from '@privatelink/shared/grpc/unary';
import { freePort } from '@privatelink/shared/testing/servers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

/** The services speak plain HTTP/2; whoever lets others in over a network ends TLS before them, here with HAProxy. */

const run = promisify(execFile);
const openssl = (...args: readonly string[]) => run('openssl', args);

let issuer: Issuer;
let directory: string;
let undo: (() => unknown)[] = [];
beforeAll(async () => {
  issuer = await createIssuer();
  directory = await mkdtemp(join(tmpdir(), 'privatelink-tls-'));
  await certify();
});
afterAll(async () => {
  await issuer.remove();
  await rm(directory, { recursive: true });
});
afterEach(async () => {
  for (const step of undo.reverse()) await step();
  undo = [];
});

const fileOf = (name: string): string => join(directory, name);

/** Authorities of our own, and what one of them certifies: that the server is `privatelink.example`. */
const certify = async (): Promise<void> => {
  for (const name of ['ca', 'other-ca']) {
    const [key, certificate] = [fileOf(`${name}.key`), fileOf(`${name}.pem`)];
    const subject = ['-subj', `/CN=${name}`, '-days', '1'];
    await openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate, ...subject);
  }
  const [key, request, certificate] = [fileOf('server.key'), fileOf('server.csr'), fileOf('server.pem')];
  const subject = ['-subj', '/CN=privatelink.example', '-addext', 'subjectAltName=DNS:privatelink.example'];
  await openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', request, ...subject);
  const authority = [
    '-CA',
    fileOf('ca.pem'),
    '-CAkey',
    fileOf('ca.key'),
    '-CAcreateserial',
    '-copy_extensions',
    'copy',
  ];
  await openssl('x509', '-req', '-in', request, '-out', certificate, ...authority, '-days', '1');
  await writeFile(fileOf('both.pem'), (await readFile(certificate, 'utf8')) + (await readFile(key, 'utf8')));
};

/** HAProxy before a service, as an operator would write it. */
const endTls = async (servicePort: number): Promise<number> => {
  const port = await freePort();
  const config = `
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
frontend tls
  bind 127.0.0.1:${port} ssl crt ${fileOf('both.pem')} alpn h2
  default_backend service
backend service
  server one 127.0.0.1:${servicePort} proto h2
`;
  await writeFile(fileOf('haproxy.cfg'), config);
  const child = spawn('haproxy', ['-f', fileOf('haproxy.cfg'), '-db'], { stdio: 'inherit' });
  undo.push(async () => {
    if (child.exitCode === null && child.kill()) await once(child, 'exit');
  });
  return port;
};

const given = async (authority: string) => {
  const server = await startBroker(issuer, {
    acceptConnection: unary(async ({ connectionId }: Accept) =>
      AcceptConnectionResponse.fromPartial({ consistencyToken: connectionId }),
    ),
    watchConnections: serverStream(async function* (_: Watch) {
      yield WatchConnectionsResponse.fromPartial({ connection: { status: ConnectionStatus.CONNECTED } });
    }),
  });
  undo.push(() => server.stop(0));
  const port = await endTls(server.port);
  const address = `localhost:${port}`;
  const client = connect({
    addresses: { provider: address, consumer: address, broker: address, dns: address },
    token: () => issuer.token(['provider', 'consumer']),
    credentials: credentials.createSsl(await readFile(fileOf(authority)), null, null, {
      checkServerIdentity: (_host, { subjectaltname }) =>
        subjectaltname === 'DNS:privatelink.example' ? undefined : new Error('somebody else'),
    }),
    timeoutMs: 5_000,
  });
  undo.push(client.close);
  return client;
};

describe('@privatelink/client over TLS', () => {
  it('calls and waits, where it trusts the authority', async () => {
    const client = await given('ca.pem');
    expect((await client.broker.acceptConnection({ connectionId: 'ep-1' })).consistencyToken).toBe('ep-1');
    expect((await client.waitFor('ep-1', 'CONNECTED')).status).toBe(ConnectionStatus.CONNECTED);
  });

  it('says nothing to a server that another authority vouches for', async () => {
    const { broker } = await given('other-ca.pem');
    await expect(broker.acceptConnection({ connectionId: 'ep-1' }, { timeoutMs: 2_000 })).rejects.toMatchObject({
      code: 14,
      message: expect.stringContaining('certificate'),
    });
  });
});
