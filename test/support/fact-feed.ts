import { connect, type NodeConnectionOptions } from '@nats-io/transport-node';
import type { RunFile } from '@privatelink/embedded/run-file';
import { Fact } from '@privatelink/proto/events/v1/fact';

/** A recorded fact as it was announced. `resourceId` is the id in its stream's name. */
export type Announced = Readonly<{ subject: string; fact: Fact; resourceId: string }>;

export type FactFeed = Readonly<{
  /** Resolves with the first fact that fits, of those announced so far and those to come. */
  next: (fits: (announced: Announced) => boolean, what: string) => Promise<Announced>;
  /** Resolves with the first fact of a type about a resource, as the event log finds records. */
  records: (category: string, id: string, type: string) => Promise<Announced>;
  all: readonly Announced[];
  onFact: (listener: (announced: Announced) => void) => void;
  close: () => Promise<void>;
}>;

const PATIENCE_MS = 15_000;

/** Subscribes to every service's facts. */
export const openFactFeed = async (run: RunFile): Promise<FactFeed> => {
  const connection = await connect(signIn(run.nats));
  const all: Announced[] = [];
  const listeners: ((announced: Announced) => void)[] = [];
  const closing = new AbortController();
  const subscription = connection.subscribe('evt.>');
  await connection.flush();
  const reading = (async () => {
    for await (const message of subscription) {
      if (message.subject.endsWith('.heartbeat')) continue;
      const fact = Fact.decode(message.data);
      const announced = {
        subject: message.subject,
        fact,
        resourceId: fact.sourceStream.slice(fact.sourceStream.indexOf('-') + 1),
      };
      all.push(announced);
      for (const listener of [...listeners]) listener(announced);
    }
  })();
  const next: FactFeed['next'] = (fits, what) => {
    const found = all.find(fits);
    if (found) return Promise.resolve(found);
    const { promise, resolve, reject } = Promise.withResolvers<Announced>();
    const timer = setTimeout(() => reject(new Error(`not announced within ${PATIENCE_MS} ms: ${what}`)), PATIENCE_MS);
    const giveUp = (): void => reject(new Error(`not announced until the end: ${what}`));
    closing.signal.addEventListener('abort', giveUp);
    if (closing.signal.aborted) giveUp();
    listeners.push((announced) => {
      if (fits(announced)) resolve(announced);
    });
    return promise.finally(() => clearTimeout(timer));
  };
  return {
    all,
    onFact: (listener) => void listeners.push(listener),
    next,
    records: (_category, id, type) => next(({ fact, resourceId }) => resourceId === id && fact.type === type, type),
    close: async () => {
      closing.abort();
      await connection.close();
      await reading;
    },
  };
};

/** As the read-only user of our own server; on another one as the services do, who must be allowed `evt.>` there. */
const signIn = ({ subscriber, url }: RunFile['nats']): NodeConnectionOptions => {
  const { protocol, host, username, password } = new URL(url);
  const servers = `${protocol}//${host}`;
  if (subscriber) return { servers, user: subscriber.user, pass: subscriber.password };
  return { servers, ...(username && { user: decodeURIComponent(username), pass: decodeURIComponent(password) }) };
};
