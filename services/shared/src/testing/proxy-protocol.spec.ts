import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readProxyHeader } from './proxy-protocol.ts';

const header = (command: number, transport: number, body: string): Buffer =>
  Buffer.concat([
    Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'),
    Buffer.from([command, transport, 0, body.length / 2]),
    Buffer.from(body, 'hex'),
  ]);
const addresses = '0a0000050a000001d43101bb';

const client = 'fd000000000000000000000000000005';
const listener = 'fd000000000000000000000000000001';
const noise = '0400020000';
const uniqueId = '05000465702d31';

it('reads addresses and the unique id, wherever it is', () => {
  const data = header(0x21, 0x21, `${client}${listener}d43101bb${noise}${uniqueId}`);
  const read = readProxyHeader(Buffer.concat([data, Buffer.from('hello')]));
  expect(read).toMatchObject({ uniqueId: 'ep-1', length: data.length });
  expect(read?.source).toMatchObject({ address: 'fd00::5', port: 54321, family: 'ipv6' });
  expect(read?.destination).toMatchObject({ address: 'fd00::1', port: 443 });
  expect(readProxyHeader(header(0x21, 0x11, addresses))).toMatchObject({
    uniqueId: null,
    source: { address: '10.0.0.5', port: 54321 },
  });
});

it('has no addresses when the proxy speaks for itself', () => {
  expect(readProxyHeader(header(0x20, 0x00, ''))).toMatchObject({ source: null, destination: null, length: 16 });
});

it('waits for the whole of it', () => {
  const data = header(0x21, 0x11, `${addresses}${uniqueId}`);
  for (let length = 0; length < data.length; length++) expect(readProxyHeader(data.subarray(0, length))).toBe(null);
  expect(readProxyHeader(data)).not.toBe(null);
});

it('takes nothing else for one', () => {
  expect(() => readProxyHeader(Buffer.from('GET / HTTP/1.1'))).toThrow('signature');
  expect(() => readProxyHeader(header(0x11, 0x11, ''))).toThrow('version 2');
  expect(() => readProxyHeader(header(0x21, 0x12, ''))).toThrow('Not TCP over IP: 0x12');
});

it('reads nothing beyond itself: whatever the client sends is no address and no id', () => {
  const sent = Buffer.from('05000465702d3205000465702d32', 'hex');
  const refused = (body: string) => {
    const read = () => readProxyHeader(Buffer.concat([header(0x21, 0x11, body), sent]));
    expect(read, body).toThrow('beyond the header');
  };
  for (let length = 0; length < addresses.length; length += 2) refused(addresses.slice(0, length));
  for (let length = 2; length < uniqueId.length; length += 2) refused(`${addresses}${uniqueId.slice(0, length)}`);
  for (const extension of ['05ffff', '05000565702d31', `${uniqueId}04`, `${uniqueId}040001`, '040003ffff']) {
    refused(`${addresses}${extension}`);
  }
});

it('is read, waited for or refused, whatever it is', () => {
  const bytes = fc.oneof(
    fc
      .uint8Array({ maxLength: 64 })
      .map((body) => header(0x21, 0x11, `${addresses}${Buffer.from(body).toString('hex')}`)),
    fc
      .tuple(fc.nat(0xff), fc.nat(0xff), fc.uint8Array({ maxLength: 64 }))
      .map(([command, transport, body]) => header(command, transport, Buffer.from(body).toString('hex'))),
    fc.uint8Array({ maxLength: 64 }).map((body) => Buffer.from(body)),
  );
  const refusal = /^(No PROXY v2 signature|Not version 2|Not TCP over IP|.* beyond the header$)/;
  fc.assert(
    fc.property(bytes, (data) => {
      try {
        const read = readProxyHeader(data);
        expect(read?.length ?? 0).toBeLessThanOrEqual(data.length);
      } catch (error) {
        expect((error as Error).message).toMatch(refusal);
      }
    }),
    { numRuns: 1_000 },
  );
});
