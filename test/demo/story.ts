import type { RunFile } from '@privatelink/embedded/run-file';
import { HoldReason } from '@privatelink/proto/broker/v1/connection';
import { RemoteError } from '@privatelink/shared/grpc/remote-error';
import { queryDns } from '../support/dns-query.ts';
import type { Announced, FactFeed } from '../support/fact-feed.ts';
import type { startTxtServer } from '../support/txt-server.ts';
import type { Narrator } from './narrator.ts';

type Closeable = Readonly<{ close: () => Promise<void> | void }>;

/** What a story plays on. */
export type Stage = Readonly<{
  run: RunFile;
  feed: FactFeed;
  narrator: Narrator;
  /** Closes it when the story has ended, however it ends; the last one first. */
  use: <T extends Closeable>(one: T) => T;
  /** How many connections a story of many has. */
  connections: number;
  /** The DNS in which providers prove their custom domains. */
  txt: Awaited<ReturnType<typeof startTxtServer>>;
}>;

export type Story = Readonly<{
  name: string;
  about: string;
  /** How traffic is forwarded while it is played. */
  forwarding: 'loopback' | 'namespaces' | 'none';
  play: (stage: Stage) => Promise<void>;
}>;

export const playOn = async (given: Omit<Stage, 'use'>, { play }: Story): Promise<void> => {
  const used: Closeable[] = [];
  const use = <T extends Closeable>(one: T): T => {
    used.unshift(one);
    return one;
  };
  try {
    await play({ ...given, use });
  } finally {
    for (const one of used) await one.close();
  }
};

/** The first difference between what happened and what the story says. */
export class Difference extends Error {
  override readonly name = 'Difference';
}

export const expectEqual = (what: string, actual: unknown, expected: unknown): void => {
  const [a, e] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== e) throw new Difference(`${what}: expected ${e}, got ${a}`);
};

export const expectReason = async (reason: string, call: () => Promise<unknown>): Promise<void> => {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    expectEqual('reason of the refusal', error.reason, reason);
    return;
  }
  throw new Difference(`expected a refusal with ${reason}`);
};

export type Named = Readonly<{
  /** The name that DNS is asked for when something of a resource changes. */
  domainName: (resourceId: string) => string | undefined;
  /** Whose it is, where there are several. */
  owner?: (resourceId: string) => string;
}>;

/** Tells each status change as it is announced, with what DNS answers at that moment. */
export const narrateStatusChanges = (
  { run, feed, narrator }: Stage,
  { domainName, owner = () => '' }: Named,
): (() => Promise<void>) => {
  let last: Promise<void> = Promise.resolve();
  feed.onFact((announced) => {
    const { fact, resourceId } = announced;
    const { transition } = fact;
    if (!transition) return;
    const asked = domainName(resourceId);
    const answered = asked ? queryDns(run.dns.address, asked).catch(() => undefined) : Promise.resolve(undefined);
    last = last.then(async () => {
      const answer = await answered;
      narrator.tell({
        kind: 'status',
        resource: `${fact.resource?.$case ?? ''} ${owner(resourceId)}`.trim(),
        from: transition.from,
        to: transition.to,
        reason: reasonOf(announced),
        event: `#${fact.sourceRevision}`,
        dns: answer ? describe(answer) : '',
      });
    });
  });
  return () => last;
};

/** Waits until a connection has gone on by these statuses, and compares its whole way there. */
export const followStatuses = (
  { feed }: Stage,
  connectionId: string,
  told: () => Promise<void>,
): ((...expected: string[]) => Promise<void>) => {
  const path: string[] = [];
  const walked = (): string[] =>
    feed.all
      .filter(({ fact, resourceId }) => resourceId === connectionId && fact.resource?.$case === 'connection')
      .flatMap(({ fact: { transition } }) => (transition && transition.from !== transition.to ? [transition.to] : []));
  return async (...expected) => {
    path.push(...expected);
    await feed.next(() => walked().length >= path.length, `connection ${path.join(' -> ')}`);
    await told();
    expectEqual('statuses of the connection', walked(), path);
  };
};

const describe = ({ rcode, records }: Awaited<ReturnType<typeof queryDns>>): string =>
  records.length > 0 ? records.join(' ') : rcode === 'NOERROR' ? 'NODATA' : rcode;

const shortReason = (reason: HoldReason): string =>
  Object.entries(HoldReason).find(([, value]) => value === reason)?.[0] ?? '';

/** What moved it, and what holds it since. */
const reasonOf = ({ fact }: Announced): string => {
  const holds = fact.resource?.$case === 'connection' ? fact.resource.value.holds : [];
  const because = fact.transition?.because ?? '';
  return holds.length > 0 ? `${because} (${holds.map(({ reason }) => shortReason(reason)).join(', ')})` : because;
};
