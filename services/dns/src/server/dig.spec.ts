import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DnsServer, startDnsServer } from './dns-server.ts';
import { tableOf, unrotated, withA } from './testing/ask.ts';

const hasDig = spawnSync('dig', ['-v']).status === 0;
const apex = 'privatelink.internal';
const endpoint = `ep-1.epsrv-1.eu-1.${apex}`;

describe.skipIf(!hasDig)('dig (skipped where it is not installed)', () => {
  let server: DnsServer;
  beforeAll(async () => {
    const many = Array.from({ length: 100 }, (_, index) => `10.0.0.${index}`);
    const table = tableOf([withA(endpoint, '10.0.1.5'), withA(`crowd.${apex}`, ...many)]);
    const log = { debug: () => {}, warn: () => {}, error: () => {} };
    server = await startDnsServer({ host: '127.0.0.1', port: 0, answer: unrotated(table), log });
  });
  afterAll(() => server.close());

  const dig = async (...args: string[]) => {
    const { stdout } = await promisify(execFile)('dig', ['@127.0.0.1', '-p', String(server.port), '+norec', ...args]);
    return stdout;
  };

  it.each<[string, string[], RegExp[]]>([
    [
      'A',
      [endpoint],
      [/status: NOERROR/, /flags: qr aa;/, /60\s+IN\s+A\s+10\.0\.1\.5/, /EDNS: version: 0, flags:; udp: 1232/],
    ],
    ['A over TCP', ['+tcp', endpoint], [/10\.0\.1\.5/, /\(TCP\)/]],
    ['NODATA', ['AAAA', endpoint], [/status: NOERROR/, /ANSWER: 0, AUTHORITY: 1/, /5\s+IN\s+SOA\s+ns1\./]],
    ['NXDOMAIN', [`no.${apex}`], [/status: NXDOMAIN/, /AUTHORITY: 1/]],
    ['REFUSED', ['example.org'], [/status: REFUSED/]],
    ['a truncated answer again over TCP', ['+noedns', `crowd.${apex}`], [/Truncated, retrying in TCP/, /ANSWER: 100,/]],
    ['BADVERS', ['+edns=1', '+noednsnegotiation', endpoint], [/status: BADVERS/]],
    ['AXFR refused', ['AXFR', apex], [/Transfer failed/]],
    ['an unknown opcode', ['+opcode=15', '+header-only', '+noedns'], [/opcode: RESERVED15, status: NOTIMP/]],
  ])('%s', async (_, args, expected) => {
    const output = await dig(...args);
    for (const pattern of expected) expect(output).toMatch(pattern);
    expect(output).not.toMatch(/malformed|warning|extra bytes/i);
  });
});
