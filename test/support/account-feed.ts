import { connect } from '@nats-io/transport-node';
import type { TenantCredentials } from '@privatelink/embedded/nats-users';
import { Fact } from '@privatelink/proto/events/v1/fact';
import { fromMsgHdrs, type Headers } from '@privatelink/shared/nats/headers';

/** What an account was told on NATS. */
export type ToldAccount = Readonly<{ subject: string; headers: Headers; fact: Fact }>;

export type AccountFeed = Readonly<{
  all: readonly ToldAccount[];
  /** Of a stream, by the rule that a subscriber keeps: what is not newer than what came before is passed over. */
  of: (stream: string) => readonly ToldAccount[];
  /** Resolves once so many newer and newer facts of a stream have come. */
  reaches: (stream: string, revision: bigint) => Promise<void>;
  close: () => Promise<void>;
}>;

const PATIENCE_MS = 40_000;

export const openAccountFeed = async (credentials: TenantCredentials): Promise<AccountFeed> => {
  const { url, user, password, inboxPrefix, subjects } = credentials;
  const connection = await connect({ servers: url, user, pass: password, inboxPrefix, maxReconnectAttempts: -1 });
  const subscription = connection.subscribe(subjects);
  await connection.flush();
  const all: ToldAccount[] = [];
  let wake = Promise.withResolvers<void>();
  const reading = (async () => {
    for await (const { subject, headers, data } of subscription) {
      all.push({ subject, headers: fromMsgHdrs(headers), fact: Fact.decode(data) });
      wake.resolve();
      wake = Promise.withResolvers();
    }
  })();
  const of = (stream: string): readonly ToldAccount[] => {
    let highest = -1n;
    return all.filter(({ fact }) => {
      if (fact.sourceStream !== stream || fact.sourceRevision <= highest) return false;
      highest = fact.sourceRevision;
      return true;
    });
  };
  return {
    all,
    of,
    reaches: async (stream, revision) => {
      const late = Promise.withResolvers<never>();
      const timer = setTimeout(() => late.reject(new Error(`${stream}@${revision} is not told`)), PATIENCE_MS);
      while ((of(stream).at(-1)?.fact.sourceRevision ?? -1n) < revision)
        await Promise.race([wake.promise, late.promise]);
      clearTimeout(timer);
    },
    close: async () => {
      await connection.close();
      await reading;
    },
  };
};
