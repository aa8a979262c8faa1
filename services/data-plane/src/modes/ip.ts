import { execFile } from 'node:child_process';
import { BlockList, isIPv6 } from 'node:net';
import { promisify } from 'node:util';
import { z } from 'zod';

/** A network device in a namespace, with the addresses that are on it. */
export type Device = Readonly<{
  name: string;
  isUp: boolean;
  addresses: readonly Readonly<{ address: string; prefix: number }>[];
}>;

const run = promisify(execFile);

const TIMEOUT_MS = 5_000;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const options = { timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES };

const devicesSchema = z.array(
  z.object({
    ifname: z.string(),
    flags: z.array(z.string()),
    addr_info: z.array(z.object({ local: z.string().optional(), prefixlen: z.number() })),
  }),
);

export const readDevices = async (namespace: string): Promise<readonly Device[]> => {
  const { stdout } = await run('ip', ['-n', namespace, '-json', 'address', 'show'], options);
  return devicesSchema.parse(JSON.parse(stdout)).map(({ ifname, flags, addr_info }) => ({
    name: ifname,
    isUp: flags.includes('UP'),
    addresses: addr_info.flatMap(({ local, prefixlen }) => (local ? [{ address: local, prefix: prefixlen }] : [])),
  }));
};

/** @returns what `ip` complains of; the other changes are made */
export const changeAddresses = async (
  verb: 'add' | 'delete',
  namespace: string,
  places: readonly Readonly<{ address: string; device: string }>[],
): Promise<string> => {
  const lines = places.map(({ address, device }) => {
    const isV6 = isIPv6(address);
    // Nobody else may have the address, and what waits for the detection of duplicates cannot be listened on.
    const nodad = isV6 && verb === 'add' ? ' nodad' : '';
    return `address ${verb} ${address}/${isV6 ? 128 : 32} dev ${device}${nodad}\n`;
  });
  const running = run('ip', ['-n', namespace, '-force', '-batch', '-'], options);
  // An `ip` that ends before it has read everything says why by itself.
  running.child.stdin?.on('error', () => undefined);
  running.child.stdin?.end(lines.join(''));
  return running.then(
    () => '',
    (error: Error & { stderr?: string }) => complaintOf(error),
  );
};

export const complaintOf = (error: Error & { stderr?: string }): string =>
  error.stderr?.replaceAll(/\s*Command failed -:\d+\s*/g, ' ').trim() || error.message;

/** A name that `ip` reads as one word. */
export const isDeviceName = (name: string): boolean => /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/.test(name);

/** The device on whose link the address is, else the loopback device; undefined when that is down. */
export const deviceFor = (devices: readonly Device[], address: string): string | undefined => {
  const usable = devices.filter(({ name, isUp }) => isUp && isDeviceName(name));
  const onLink = usable.find(({ name, addresses }) => name !== 'lo' && addresses.some((on) => covers(on, address)));
  return (onLink ?? usable.find(({ name }) => name === 'lo'))?.name;
};

const covers = (on: Device['addresses'][number], address: string): boolean => {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  if (isIPv6(on.address) !== (family === 'ipv6')) return false;
  const link = new BlockList();
  link.addSubnet(on.address, on.prefix, family);
  return link.check(address, family);
};
