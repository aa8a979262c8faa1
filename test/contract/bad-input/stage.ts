import type { RunFile } from '@privatelink/embedded/run-file';
import type { EventStore } from '@privatelink/shared/eventing/ports';
import { expect } from 'vitest';
import type { Ended } from '../../access/call.ts';
import type { Callers } from '../../access/callers.ts';
import { ownerOf } from '../../access/callers.ts';
import type { CallerName } from '../../access/row.ts';
import { type Rpc, rpcOf } from '../../access/rpcs.ts';
import type { Scene } from '../../access/scene.ts';

/** A running system whose state bad input must leave as it is. */
export type Stage = Readonly<{
  run: RunFile;
  callers: Callers;
  scene: Scene;
  /** Only asked how far it goes. */
  store: Pick<EventStore, 'tail'>;
  /** Resolves when nothing is recorded any more of its own accord. */
  quiet: () => Promise<void>;
}>;

export type GetStage = () => Stage;

export type Refusal = Readonly<{ code: string; reason: string; fields?: readonly string[] }>;

export const invalid = (...fields: readonly string[]): Refusal => {
  return { code: 'INVALID_ARGUMENT', reason: 'INVALID_ARGUMENT', fields };
};

export const refused = (code: string, reason: string, ...fields: readonly string[]): Refusal => {
  return { code, reason, fields };
};

/** Who may make this call: services, operators and billing do as themselves, everybody else's is the owner's. */
export const callerOf = (rpc: Rpc): CallerName => {
  if (INTERNAL.includes(rpc.title)) return 'service';
  if (/^(un)?lock|ReadModel|DeadLetter|Subscription|^setPlatform/.test(rpc.name)) return 'operator';
  return rpc.name.startsWith('reportPayment') ? 'billing' : 'owner';
};

const INTERNAL = [
  ...['admitEndpoint', 'explainAdmission', 'releaseAdmission', 'confirmServiceTeardown'].map(
    (name) => `provider.${name}`,
  ),
  ...['confirmConnectionDeleted', 'confirmConnectionUpdated', 'settleEndpointCreation'].map(
    (name) => `consumer.${name}`,
  ),
  ...['requestConnection', 'deleteConnection', 'closeService', 'closeResource', 'recordServiceFact'].map(
    (name) => `broker.${name}`,
  ),
  ...['updateConnection', 'watchZone', 'reportForwarding', 'reportZoneHealth', 'reportTraffic'].map(
    (name) => `broker.${name}`,
  ),
  'dns.putNames',
];

export const callAsAllowed = ({ callers }: Stage, rpc: Rpc, said: object): Promise<Ended> =>
  callers.as(callerOf(rpc), rpc.service).caller.call(rpc, said);

/** Refused so, by everything that tells a caller why, and nothing is recorded anywhere. */
export const expectRefused = async (stage: Stage, title: string, said: object, refusal: Refusal): Promise<Ended> => {
  const before = await stage.store.tail();
  const ended = await callAsAllowed(stage, rpcOf(title), said);
  const { code, reason, fields } = ended;
  expect({ code, reason, ...(refusal.fields && { fields }) }, ended.message).toEqual(refusal);
  expect(ended.message).not.toBe('');
  expect(await stage.store.tail(), 'events were recorded').toBe(before);
  return ended;
};

/** As `expectRefused`, and the violations are of one field only, whichever place in it. */
export const expectFieldRefused = async (stage: Stage, rpc: Rpc, said: object, field: string): Promise<void> => {
  const before = await stage.store.tail();
  const ended = await callAsAllowed(stage, rpc, said);
  const { code, reason, fields } = ended;
  expect([code, reason], `${ended.message} ${JSON.stringify(said, bigints)}`).toEqual([
    'INVALID_ARGUMENT',
    'INVALID_ARGUMENT',
  ]);
  for (const found of fields) expect(found).toMatch(new RegExp(`(^|\\.)${snake(field)}(\\[\\d+\\])?$`));
  expect(fields.length).toBeGreaterThan(0);
  expect(await stage.store.tail(), 'events were recorded').toBe(before);
};

/** `zones.vswitchId` is `vswitch_id` of some zone. */
const snake = (field: string): string =>
  (field.split('.').at(-1) ?? '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const bigints = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value);

export const partyOf = (rpc: Rpc) => ownerOf(rpc.service);
