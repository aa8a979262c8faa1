import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { hasNamespaces, ip, networkNamespaces } from '../../../services/data-plane/src/testing/network-namespaces.ts';
import { type Machine, startMachine } from './machine.ts';

export { hasNamespaces };

/** The networks of VPCs: each is the network namespace of the VPC's id. */
export type VpcNetworks = Readonly<{
  make: (vpcId: string) => Promise<void>;
  /** A machine of a VPC, at an address such as `10.0.1.100/24` in each of its vSwitches, each by a veth of its own. */
  addMachine: (vpcId: string, addresses: readonly string[]) => Promise<Machine>;
  /** The addresses that are on in a VPC, `lo` and its machines' gateways included. */
  addresses: (vpcId: string) => Promise<readonly string[]>;
  /** The bandwidth limits that are kept in a VPC, as `<connection id>/<Mbit/s>/<direction>`. */
  limits: (vpcId: string) => Promise<readonly string[]>;
  /** Takes one off, as somebody does by hand. */
  takeOff: (vpcId: string, address: string) => Promise<void>;
  removeAll: () => Promise<void>;
}>;

type Device = Readonly<{ ifname: string; addr_info: readonly Readonly<{ local: string; prefixlen: number }>[] }>;

export const vpcNetworks = (): VpcNetworks => {
  const namespaces = networkNamespaces();
  const machines: Machine[] = [];
  const devicesOf = async (vpcId: string): Promise<readonly Device[]> =>
    JSON.parse(await ip(`-n ${vpcId} -json address show`));
  return {
    make: async (vpcId) => {
      await namespaces.make(vpcId);
    },
    addMachine: async (vpcId, addresses) => {
      const name = await namespaces.make(`${vpcId}-${machines.length + 1}`);
      for (const address of addresses) {
        const left = { name: vpcId, address: gatewayOf(address) };
        await namespaces.link(left, { name, address });
      }
      const machine = await startMachine(name);
      machines.push(machine);
      return machine;
    },
    addresses: async (vpcId) =>
      (await devicesOf(vpcId)).flatMap(({ addr_info }) => addr_info.map(({ local }) => local)),
    limits: async (vpcId) => {
      const { stdout } = await promisify(execFile)('ip', ['netns', 'exec', vpcId, 'nft', 'list', 'limits']);
      return [...stdout.matchAll(/limit (\S+\/\S+) \{/g)].map(([, name = '']) => name);
    },
    takeOff: async (vpcId, address) => {
      const device = (await devicesOf(vpcId)).find(({ addr_info }) => addr_info.some(({ local }) => local === address));
      const { prefixlen } = device?.addr_info.find(({ local }) => local === address) ?? {};
      await ip(`-n ${vpcId} address delete ${address}/${prefixlen} dev ${device?.ifname}`);
    },
    removeAll: async () => {
      for (const machine of machines.splice(0)) await machine.stop();
      await namespaces.removeAll();
    },
  };
};

/** The first address of the vSwitch, which in a cloud is its gateway's. */
const gatewayOf = (address: string): string => address.replace(/\.\d+\//, '.1/');
