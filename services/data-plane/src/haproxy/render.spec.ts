import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkName, type Forward } from './forward.ts';
import { bindsOf, readConfig, renderConfig, serversOf } from './render.ts';

const limits = { hardStopAfterSeconds: 3600, maxSockets: 4096, checkIntervalMs: 2_000 };
const options = { ...limits, id: 'config-1', namespaces: new Map() };

const forward: Forward = {
  connectionId: 'ep-1',
  port: 443,
  binds: [
    { host: '10.0.0.5', port: 443, namespace: 'vpc-a' },
    { host: 'fd00:0::5', port: 443, namespace: 'vpc-a' },
  ],
  targets: [
    { ip: '10.0.0.10', port: 443 },
    { ip: 'fd00::10', port: 443 },
  ],
  targetNamespace: 'vpc-b',
  ingress: null,
  source: null,
  proxyProtocol: true,
};

describe('renderConfig', () => {
  it('makes one section of a forward', () => {
    const namespaces = new Map([['vpc-a', '4026532001']]);
    expect(renderConfig([forward], { ...options, namespaces })).toContain(`
listen ep-1:443
  bind 10.0.0.5:443 namespace vpc-a # 4026532001
  bind [fd00::5]:443 namespace vpc-a # 4026532001
  unique-id-format ep-1
  retries 2
  option redispatch 1
  server t1 10.0.0.10:443 send-proxy-v2 proxy-v2-options unique-id namespace vpc-b
  server t2 [fd00::10]:443 send-proxy-v2 proxy-v2-options unique-id namespace vpc-b
`);
  });

  it('lets in whom the first rule about a port and an address does, and nobody else', () => {
    const ingress = [
      { allowed: false, fromPort: 443, toPort: 443, sourceCidr: '10.1.2.0/24' },
      { allowed: true, fromPort: 80, toPort: 80, sourceCidr: '0.0.0.0/0' },
      { allowed: true, fromPort: 0, toPort: 65_535, sourceCidr: '10.1.0.0/16' },
      { allowed: true, fromPort: 0, toPort: 65_535, sourceCidr: 'fd00::/64' },
    ];
    expect(renderConfig([{ ...forward, ingress }], options)).toContain(`
  tcp-request connection reject if { dst 10.0.0.5 } { src 10.1.2.0/24 }
  tcp-request connection accept if { dst 10.0.0.5 } { src 10.1.0.0/16 }
  tcp-request connection accept if { dst fd00:0::5 } { src fd00::/64 }
  tcp-request connection reject
`);
    expect(renderConfig([{ ...forward, ingress: [] }], options)).toContain('\n  tcp-request connection reject\n');
    expect(renderConfig([forward], options)).not.toContain('tcp-request');
    for (const sourceCidr of ['10.0.0.0', '10.0.0.0/33', 'fe80::1%eth0/64', '10.0.0.0/8 } or TRUE', '::/129', '']) {
      const forged = [{ allowed: true, fromPort: 0, toPort: 1, sourceCidr }];
      expect(() => renderConfig([{ ...forward, ingress: forged }], options), sourceCidr).toThrow('malformed');
    }
  });

  it('says nothing of PROXY headers, namespaces or retries without need', () => {
    const binds = [{ host: '127.64.0.1', port: 80, namespace: null }];
    const targets = [{ ip: '127.0.0.1', port: 9000 }];
    const plain = { ...forward, port: 80, binds, targets, targetNamespace: null, proxyProtocol: false };
    expect(renderConfig([plain], options)).toContain(`
listen ep-1:80
  bind 127.64.0.1:80
  retries 0
  server t1 127.0.0.1:9000
`);
  });

  it('looks at each target once, whoever forwards to it, apart from what forwards', () => {
    const namespaces = new Map([['vpc-b', '17']]);
    const here = { ...forward, connectionId: 'ep-2', targetNamespace: null };
    const silent = { ...forward, connectionId: 'ep-3', binds: [], targets: [{ ip: '10.0.0.99', port: 1 }] };
    const text = renderConfig([forward, { ...forward, connectionId: 'ep-4' }, here, silent], {
      ...options,
      namespaces,
    });
    expect(text).toContain(`
backend checks
  default-server inter 2000ms fall 3 rise 2
  server :10.0.0.10:443 10.0.0.10:443 check
  server :fd00::10:443 [fd00::10]:443 check
  server vpc-b:10.0.0.10:443 10.0.0.10:443 check namespace vpc-b # 17
  server vpc-b:fd00::10:443 [fd00::10]:443 check namespace vpc-b # 17

listen ep-1:443
`);
    expect(checkName({ ip: 'FD00:0::10', port: 443 }, 'vpc-b')).toBe('vpc-b:fd00::10:443');
    const checks = (...some: readonly Forward[]) => [
      ...(readConfig(renderConfig(some, { ...options, namespaces }))?.checks ?? []),
    ];
    expect(checks(here, forward)).toEqual(expect.arrayContaining(checks(here)));
    expect(checks(here)).not.toContain(checks(forward).at(-1));
  });

  it('dials targets from an address where one is said', () => {
    const targets = [{ ip: '10.0.1.9', port: 5432 }];
    const reverse = { ...forward, targets, targetNamespace: 'vpc-c', source: '10.0.0.5', proxyProtocol: false };
    expect(renderConfig([reverse], options)).toContain('server t1 10.0.1.9:5432 source 10.0.0.5 namespace vpc-c');
    expect(() => renderConfig([{ ...reverse, source: '10.0.0.5 user root' }], options)).toThrow('malformed');
  });

  it('is the same for the same set, and has no section of what listens nowhere', () => {
    const others = ['ep-0', 'ep-2'].map((connectionId) => ({ ...forward, connectionId }));
    const silent = { ...forward, connectionId: 'ep-3', binds: [] };
    const text = renderConfig([...others, forward, silent], options);
    expect(renderConfig([silent, forward, ...others].reverse(), options)).toBe(text);
    expect([...(readConfig(text)?.sections.keys() ?? [])]).toEqual(['ep-0:443', 'ep-1:443', 'ep-2:443']);
  });

  it('is read again as what it was made of', () => {
    const config = readConfig(renderConfig([forward], { ...options, namespaces: new Map([['vpc-a', '17']]) }));
    const section = config?.sections.get('ep-1:443') ?? '';
    expect(config?.id).toBe('config-1');
    expect(bindsOf(section)).toEqual([
      { address: '10.0.0.5:443', namespace: 'vpc-a', generation: '17' },
      { address: '[fd00::5]:443', namespace: 'vpc-a', generation: '17' },
    ]);
    expect(serversOf(section)).toEqual(['t1', 't2']);
    expect(readConfig(renderConfig([], { ...options, id: 'config-2' }))?.common).toBe(config?.common);
    expect(readConfig('listen somebody-else:80')).toBe(null);
  });

  it('refuses two forwards of one name', () => {
    expect(() => renderConfig([forward, forward], options)).toThrow('ep-1:443 is there twice');
  });

  it('renders no word that is not what it should be', () => {
    const nasty = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .tuple(fc.constantFrom('ep-1', '10.0.0.1', '::1', ''), fc.constantFrom(...' \t\n\r\0#%$"\'\\/;:,{}[]()'))
        .map((parts) => parts.join('')),
    );
    const spoilt = fc.oneof(
      nasty.map((connectionId) => ({ ...forward, connectionId })),
      nasty.map((targetNamespace) => ({ ...forward, targetNamespace })),
      nasty.map((host) => ({ ...forward, binds: [{ host, port: 1, namespace: null }] })),
      nasty.map((namespace) => ({ ...forward, binds: [{ host: '10.0.0.1', port: 1, namespace }] })),
      nasty.map((ip) => ({ ...forward, targets: [{ ip, port: 1 }] })),
      fc.oneof(fc.double(), fc.constantFrom(0, -1, 65_536, 1.5, 1e21)).map((port) => ({ ...forward, port })),
    );
    const words = /^(listen|bind|server|unique-id-format) [\w.:[\]-]+( [\w.:[\]-]+)*$|^(retries|option) [\w ]+$/;
    const isRefused = (error: unknown) => /^Error: A forward cannot be rendered: [a-z ]+$/.test(String(error));
    fc.assert(
      fc.property(spoilt, (one: Forward) => {
        let text: string;
        try {
          text = renderConfig([one], options);
        } catch (error) {
          return isRefused(error);
        }
        // What got through is as good as any: as many lines as the forward has, each of plain words.
        const lines = [...(readConfig(text)?.sections.values() ?? [])].flatMap((section) => section.split('\n'));
        const count = 2 + one.binds.length + one.targets.length + (one.targets.length > 1 ? 2 : 1);
        return lines.length === count && lines.every((line) => words.test(line.trim()));
      }),
      { numRuns: 1_000 },
    );
  });

  it('refuses an id that is not one word', () => {
    for (const id of ['', 'a b', 'a\nb']) expect(() => renderConfig([], { ...options, id })).toThrow('malformed');
  });
});
