import { absent, advance, type Folded } from '@privatelink/shared/app/fold';
import { runSubscription, type SubscriptionDeps } from '@privatelink/shared/app/run-subscription';
import { nameSetCodec } from '../name-set/name-set.codec.ts';
import { type DomainName, type NameSet, nameSet } from '../name-set/name-set.ts';
import type { AddressRecord } from './rrset.ts';
import type { ViewedName, ZoneViews } from './zone-views.ts';

const rules = { decider: nameSet, codec: nameSetCodec };
const STOP_AFTER_FAILURES = 10;

export type ZoneFeed = Readonly<{
  /** Follows the events into the table until the signal aborts. */
  run: (deps: SubscriptionDeps) => Promise<void>;
  /** Resolves once everything that was recorded before the start is in the table. */
  caughtUp: Promise<void>;
  /** Resolves once the table answers by the event at this position. */
  reached: (position: bigint) => Promise<void>;
  /** The account that owns a VPC; undefined where no endpoint of it ever had names. */
  ownerOf: (vpcId: string) => string | undefined;
}>;

/** What a set of names says of its VPC's name servers. */
type OnNames = (set: NameSet, isOnlyAnsweredInside: boolean) => void;

/**
 * Fills this process's tables from the recorded name sets. They are in memory and every replica has its own; the
 * serial counts the events, so that all replicas give the same serial to the same content.
 *
 * @param onNames hears of each set that is new, in the order in which they were recorded
 */
export const createZoneFeed = (views: ZoneViews, onNames: OnNames = () => undefined): ZoneFeed => {
  const sets = new Map<string, Folded<NameSet>>();
  const owners = new Map<string, string>();
  const started = Promise.withResolvers<void>();
  let waiting: { position: bigint; done: () => void }[] = [];
  let reachedPosition = -1n;
  let serial = 0;

  const apply = (stream: string, folded: Folded<NameSet>): void => {
    const { state, names, endpointId, vpcId, accountId } = folded.state;
    owners.set(vpcId, accountId);
    onNames(folded.state, isOnlyAnsweredInside(folded.state));
    if (state === 'REMOVED') {
      views.remove(endpointId);
      // Only its end is remembered: nothing may come after it.
      sets.set(stream, { ...folded, state: { ...folded.state, names: [] } });
      return;
    }
    sets.set(stream, folded);
    views.put(
      endpointId,
      vpcId,
      names.map((name) => toRecords(name, folded.state)),
    );
  };

  return {
    caughtUp: started.promise,
    ownerOf: (vpcId) => owners.get(vpcId),
    reached: (position) => {
      if (position <= reachedPosition) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ position, done: resolve });
      return promise;
    },
    run: (deps) =>
      runSubscription(deps, {
        name: 'zoneFeed',
        prefixes: [`${nameSet.category}-`],
        onFailure: { stopAfter: STOP_AFTER_FAILURES },
        resumeAfter: async () => (reachedPosition < 0n ? null : reachedPosition),
        handle: async (messages) => {
          for (const message of messages) {
            if (message.kind === 'caughtUp') started.resolve();
            if (message.kind !== 'event') continue;
            const { event } = message;
            views.setSerial(++serial);
            apply(event.stream, advance(rules, sets.get(event.stream) ?? absent(nameSet.initial), event));
            reachedPosition = event.position;
          }
          const ready = waiting.filter(({ position }) => position <= reachedPosition);
          if (ready.length === 0) return;
          waiting = waiting.filter(({ position }) => position > reachedPosition);
          for (const { done } of ready) done();
        },
      }),
  };
};

/** Whether its VPC's own name servers answer what others do not: its own names, or near addresses first. */
const isOnlyAnsweredInside = ({ state, names, zoneAffinity }: NameSet): boolean =>
  state !== 'REMOVED' && (zoneAffinity || names.some(({ isPrivate }) => isPrivate));

const toRecords = (
  { domainName, ipv4Addresses, ipv6Addresses, isPrivate }: DomainName,
  { state, zones, zoneAffinity }: NameSet,
): ViewedName => {
  const zoneOf = (address: string): string | undefined =>
    zones.find(({ ipv4, ipv6 }) => ipv4 === address || ipv6 === address)?.zoneId;
  const records = [
    ...ipv4Addresses.map((data) => ({ type: 'A', data }) as const),
    ...ipv6Addresses.map((data) => ({ type: 'AAAA', data }) as const),
  ].map((record): AddressRecord => {
    const zoneId = zoneAffinity ? zoneOf(record.data) : undefined;
    return zoneId === undefined ? record : { ...record, zoneId };
  });
  return { name: domainName, isPrivate, records: state === 'PUBLISHED' ? records : [] };
};
