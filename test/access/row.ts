import type { Party, Scene } from './scene.ts';

/** Who calls. The first three are accounts with the roles of a provider and of a consumer; the others have one role. */
export const callers = ['owner', 'counterpart', 'stranger', 'operator', 'viewer', 'billing', 'service'] as const;
export type CallerName = (typeof callers)[number];

/** A status code; of a list that is answered, whether the thing in question is on it. */
export type Expected = string;

/** What an RPC says to each caller when one field of the request names a certain thing. */
export type Row = Readonly<{
  /** As generated, or a path into the request; a word behind it tells two rows of one field apart. */
  field: string;
  /** The request, right in everything but for who asks: `id` is the real one or an absent one. */
  say: (scene: Scene, id: string, party: Party) => object;
  real: (scene: Scene) => string;
  absent: string;
  /** Whether a list shows the thing. */
  isIn?: (response: object, scene: Scene) => boolean;
  expected: Readonly<Record<CallerName, Expected>>;
}>;

/** By RPC, `provider.getEndpointService`. */
export type Rows = Readonly<Record<string, readonly Row[]>>;

const id = (prefix: string): string => `${prefix}-${'0'.repeat(20)}`;
export const absent = {
  service: id('epsrv'),
  endpoint: id('ep'),
  vpc: id('vpc'),
  vswitch: id('vsw'),
  securityGroup: id('sg'),
  routeTable: id('vtb'),
  gateway: id('vpce'),
  deadLetter: id('dl'),
  account: '9'.repeat(16),
} as const;

/** Sealed by somebody else. */
export const FORGED_TOKEN = Buffer.alloc(48, 7).toString('base64url');

const DENIED = 'PERMISSION_DENIED';
export const nobody: Row['expected'] = {
  ...{ owner: DENIED, counterpart: DENIED, stranger: DENIED },
  ...{ operator: DENIED, viewer: DENIED, billing: DENIED, service: DENIED },
};
/** The owner's alone; `owner` is what the owner gets. */
export const ownersOwn = (owner: Expected): Row['expected'] => ({
  ...nobody,
  ...{ owner, counterpart: 'NOT_FOUND', stranger: 'NOT_FOUND' },
});
/** Also shown to those who see everything. */
export const ownersToRead: Row['expected'] = { ...ownersOwn('OK'), operator: 'OK', viewer: 'OK' };
/** Every account may say it, about itself. */
export const eachAccounts = (everybody: Expected): Row['expected'] => ({
  ...nobody,
  ...{ owner: everybody, counterpart: everybody, stranger: everybody },
});
export const services = (service: Expected): Row['expected'] => ({ ...nobody, service });

/** Beyond any revision: whoever may change the thing is told that it is not there, and nothing changes. */
export const STALE = { expectedRevision: 999_999n } as const;
export const stale = ownersOwn('ABORTED');
export const staleAlsoToOperators: Row['expected'] = { ...stale, operator: 'ABORTED' };

/** A token that was given to the owner for its list. */
export const pageTokenRow = (title: string, expected: Row['expected']): Row => ({
  field: 'pageToken',
  say: (scene, pageToken) => ({ ...scene.lists[title]?.request, pageSize: 1, pageToken }),
  real: (scene) => scene.lists[title]?.pageToken ?? '',
  absent: FORGED_TOKEN,
  expected,
});

/** It only says how new a list must be: everybody may have it from everybody. */
export const consistencyTokenRow = (title: string, expected: Row['expected']): Row => ({
  field: 'consistencyToken',
  say: (scene, consistencyToken) => ({ ...scene.lists[title]?.request, consistencyToken }),
  real: (scene) => scene.lists[title]?.consistencyToken ?? '',
  absent: FORGED_TOKEN,
  expected,
});

export const NO_FIELD = '(none)';
/** For an RPC that names nothing. */
export const noField = (say: Row['say'], expected: Row['expected'], isIn?: Row['isIn']): Row => ({
  ...{ field: NO_FIELD, say, real: () => '', absent: '', expected },
  ...(isIn && { isIn }),
});
