import { isSnapshot } from '@privatelink/shared/eventing/codec';
import { idOfStream } from '@privatelink/shared/eventing/decider';
import { type Fields, tagEntries } from '@privatelink/shared/filter/fields';
import { defineReadModel } from '@privatelink/shared/postgres/read-model';
import { vpcCodec } from '../vpc/vpc.codec.ts';
import type { Tag, VpcEvent } from '../vpc/vpc.ts';

export type VpcRow = Readonly<{
  vpcId: string;
  accountId: string;
  regionId: string;
  ipv4Cidr: string;
  ipv6Cidr: string;
  tags: readonly Tag[];
  createdAt: string;
}>;

type Column = 'account_id' | 'region_id' | 'ipv4_cidr' | 'ipv6_cidr' | 'tags' | 'create_time';

/** All VPCs; what is in them only their ledgers say. */
export const vpcs = defineReadModel<VpcEvent, VpcRow, Column>({
  name: 'vpcs',
  version: 4,
  prefixes: ['vpc-'],
  decode: (stored) => (isSnapshot(stored.type) ? null : vpcCodec.decode(stored)),
  key: (event) => idOfStream(event.meta.stream),
  initial: { vpcId: '', accountId: '', regionId: '', ipv4Cidr: '', ipv6Cidr: '', tags: [], createdAt: '' },
  evolve: (row, event) => {
    if (event.type === 'VpcDeregistered') return null;
    if (event.type !== 'VpcRegistered') return row;
    const { at, ...data } = event.data;
    return { ...data, createdAt: at };
  },
  columns: {
    account_id: { type: 'text', of: (row) => row.accountId, indexed: true },
    region_id: { type: 'text', of: (row) => row.regionId },
    ipv4_cidr: { type: 'text', of: (row) => row.ipv4Cidr },
    ipv6_cidr: { type: 'text', of: (row) => row.ipv6Cidr },
    tags: { type: 'text[]', of: (row) => tagEntries(row.tags) },
    create_time: { type: 'timestamptz', of: (row) => row.createdAt },
  },
});

export const vpcFields: Fields<keyof (typeof vpcs)['columns']> = {
  vpc_id: { column: 'key', type: 'text', ordered: true },
  account_id: { column: 'account_id', type: 'text', ordered: true },
  region_id: { column: 'region_id', type: 'text', ordered: true },
  ipv4_cidr: { column: 'ipv4_cidr', type: 'text', ordered: true },
  ipv6_cidr: { column: 'ipv6_cidr', type: 'text', ordered: true },
  tags: { column: 'tags', type: 'tags' },
  create_time: { column: 'create_time', type: 'time', ordered: true },
};
