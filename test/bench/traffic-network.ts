import { changeAddresses, deviceFor, readDevices } from '../../services/data-plane/src/modes/ip.ts';
import { ip, networkNamespaces } from '../../services/data-plane/src/testing/network-namespaces.ts';

/** By which this process's own namespaces are known. */
const PREFIX = `bench-${process.pid}-`;

/** What listens for one flow with much data, and for many connections with little. */
export const PORTS = { throughput: 5201, connections: 8080 } as const;

/** Both VPCs have the CIDR 10.0.0.0/16. */
export const SERVER_IN_VPC = '10.0.255.2';
export const SERVER_DIRECTLY = '10.1.0.2';

export type Network = Readonly<{
  client: string;
  consumerVpc: string;
  providerVpc: string;
  server: string;
  /** Puts addresses of network interfaces on in the consumer's VPC. */
  addInterfaces: (addresses: readonly string[]) => Promise<void>;
}>;

/** A client in a consumer's VPC, a server in a provider's, and one more link straight from one to the other. */
export const makeNetwork = async (): Promise<Network> => {
  const namespaces = networkNamespaces();
  const make = (role: string): Promise<string> => namespaces.make(`${PREFIX}${role}`);
  const client = await make('client');
  const consumerVpc = await make('consumer');
  const providerVpc = await make('provider');
  const server = await make('server');
  await namespaces.link({ name: client, address: '10.0.255.2/16' }, { name: consumerVpc, address: '10.0.255.1/16' });
  await namespaces.link(
    { name: server, address: `${SERVER_IN_VPC}/16` },
    { name: providerVpc, address: '10.0.255.1/16' },
  );
  await namespaces.link({ name: client, address: '10.1.0.1/24' }, { name: server, address: `${SERVER_DIRECTLY}/24` });
  return {
    ...{ client, consumerVpc, providerVpc, server },
    addInterfaces: async (addresses) => {
      const devices = await readDevices(consumerVpc);
      const places = addresses.map((address) => ({ address, device: deviceFor(devices, address) ?? 'lo' }));
      const complaint = await changeAddresses('add', consumerVpc, places);
      if (complaint) throw new Error(complaint);
    },
  };
};

/** Removes the namespaces, and with them their links, also when not all of them were made. */
export const removeNetwork = async (): Promise<void> => {
  const names = (await ip('netns list')).split('\n').map((line) => line.split(' ', 1)[0] ?? '');
  for (const name of names) if (name.startsWith(PREFIX)) await ip(`netns delete ${name}`);
};
