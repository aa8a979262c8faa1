import { AckPolicy, JetStreamApiCodes, JetStreamApiError, PubHeaders } from '@nats-io/jetstream';
import { headers as createHeaders, type MsgHdrs } from '@nats-io/transport-node';
import type { Nats } from '@privatelink/shared/nats/connect';
import type { Host } from './host.ts';
import type { Timeline } from './timeline.ts';
import type { Trouble } from './trouble.ts';

type Message = Readonly<{ seq: number; subject: string; data: Uint8Array; headers: MsgHdrs }>;
type Pending = { seq: number; due: number; deliveries: number };
type Durable = { config: Record<string, unknown>; next: number; pending: Map<number, Pending>; delivered: number };
type Stream = {
  created: string;
  config: Readonly<{ subjects: readonly string[]; duplicate_window: number }>;
  messages: Message[];
  lastSeq: number;
  lastId: string;
  ids: Map<string, { seq: number; until: number }>;
  durables: Map<string, Durable>;
};

/** A JetStream server in memory: all that our publisher and consumers ask of one. */
export type Bus = Readonly<{
  connect: (host: Host) => Nats;
  /** Everything in it is lost, as with its directory. */
  wipe: () => void;
  messages: (stream: string) => readonly Message[];
}>;

const NAME_IN_USE = 10058;
const WRONG_LAST_MESSAGE_ID = 10070;
const REQUEST_TIMEOUT_MS = 5_000;
const POLL_MS = 100;

export const createBus = (timeline: Timeline, trouble: Trouble): Bus => {
  let streams = new Map<string, Stream>();
  let made = 0;

  const streamOf = (name: string): Stream => {
    const stream = streams.get(name);
    if (!stream) throw apiError(404, JetStreamApiCodes.StreamNotFound, 'stream not found');
    return stream;
  };
  const durableOf = (stream: string, durable: string): Durable => {
    const found = streamOf(stream).durables.get(durable);
    if (!found) throw apiError(404, JetStreamApiCodes.ConsumerNotFound, 'consumer not found');
    return found;
  };

  const publish = (subject: string, data: Uint8Array, options: PublishOptions) => {
    const stream = [...streams.values()].find(({ config }) =>
      config.subjects.some((filter) => matches(filter, subject)),
    );
    if (!stream) throw new Error('503 no responders');
    const { headers = createHeaders() } = options;
    const msgID = headers.get(PubHeaders.MsgIdHdr);
    const lastSequence = headers.get(PubHeaders.ExpectedLastSeqHdr);
    const lastMsgID = headers.get(PubHeaders.ExpectedLastMsgIdHdr);
    const known = msgID ? stream.ids.get(msgID) : undefined;
    if (known && known.until > timeline.now()) return { seq: known.seq, duplicate: true };
    if (lastSequence !== '' && Number(lastSequence) !== stream.lastSeq) {
      throw apiError(400, JetStreamApiCodes.StreamWrongLastSequence, 'wrong last sequence');
    }
    if (lastMsgID !== '' && lastMsgID !== stream.lastId) {
      throw apiError(400, WRONG_LAST_MESSAGE_ID, 'wrong last msg ID');
    }
    stream.lastId = msgID;
    if (headers.get('Nats-Rollup') === 'sub') {
      stream.messages = stream.messages.filter((message) => message.subject !== subject);
    }
    const seq = ++stream.lastSeq;
    stream.messages.push({ seq, subject, data, headers });
    if (msgID) stream.ids.set(msgID, { seq, until: timeline.now() + stream.config.duplicate_window / 1e6 });
    return { seq, duplicate: false };
  };

  /** Gives out what is due, as many as may be unacknowledged at once. */
  const take = (streamName: string, durableName: string, max: number): Taken[] => {
    const stream = streamOf(streamName);
    const durable = durableOf(streamName, durableName);
    const isUnacknowledged = durable.config['ack_policy'] === AckPolicy.None;
    const maxPending = isUnacknowledged ? Number.POSITIVE_INFINITY : Number(durable.config['max_ack_pending']);
    const ackWaitMs = Number(durable.config['ack_wait']) / 1e6;
    const taken: Taken[] = [];
    const give = (message: Message, pending: Pending): void => {
      pending.due = timeline.now() + ackWaitMs;
      pending.deliveries++;
      taken.push({ message, pending, durable, deliverySequence: ++durable.delivered });
    };
    for (const pending of durable.pending.values()) {
      if (taken.length >= max || pending.due > timeline.now()) continue;
      const message = stream.messages.find(({ seq }) => seq === pending.seq);
      if (message) give(message, pending);
      else durable.pending.delete(pending.seq);
    }
    const filter = String(durable.config['filter_subject']);
    for (const message of stream.messages) {
      if (taken.length >= max || durable.pending.size >= maxPending) break;
      if (message.seq < durable.next) continue;
      durable.next = message.seq + 1;
      if (!matches(filter, message.subject)) continue;
      const pending = { seq: message.seq, due: 0, deliveries: 0 };
      if (!isUnacknowledged) durable.pending.set(message.seq, pending);
      give(message, pending);
    }
    return taken;
  };

  const connect = (host: Host): Nats => {
    const { clock } = host;
    const unanswered = async (): Promise<never> => {
      await clock.sleep(REQUEST_TIMEOUT_MS);
      throw new Error('request timed out');
    };
    const fetch = async function* (
      stream: string,
      durable: string,
      { max_messages: max, expires }: FetchOptions,
      closed: AbortSignal,
    ) {
      const end = timeline.now() + expires;
      let count = 0;
      while (count < max && !closed.aborted && timeline.now() < end) {
        const taken = await host.ask(() => take(stream, durable, max - count));
        for (const one of taken) {
          count++;
          yield toJsMsg(host, trouble, timeline, one);
        }
        if (taken.length === 0) await clock.sleep(POLL_MS, closed);
        else if (count > 0) return;
      }
    };
    /** What one connection sends arrives in that order. */
    let before: Promise<void> = Promise.resolve();
    const inOrder = <T>(atServer: () => T): Promise<T> => {
      const turn = before;
      const done = Promise.withResolvers<void>();
      before = done.promise;
      return host.ask(async () => {
        await turn;
        done.resolve();
        return atServer();
      });
    };
    const nats = {
      streamReplicas: 1,
      connection: {
        /** Nobody is told what becomes of it. */
        publish: (subject: string, data: Uint8Array, options: PublishOptions) => {
          if (trouble.strikes('publishLost')) return;
          void inOrder(() => publish(subject, data, options)).catch(() => undefined);
        },
      },
      js: {
        publish: async (subject: string, data: Uint8Array, options: PublishOptions) => {
          if (trouble.strikes('publishLost')) return unanswered();
          const isReplyLost = trouble.strikes('publishReplyLost');
          const ack = await inOrder(() => publish(subject, data, options));
          return isReplyLost ? unanswered() : ack;
        },
        consumers: {
          get: async (stream: string, durable: string) => {
            await host.ask(() => durableOf(stream, durable));
            return {
              fetch: async (options: FetchOptions) => {
                const closing = new AbortController();
                return Object.assign(fetch(stream, durable, options, closing.signal), {
                  close: async () => closing.abort(),
                });
              },
            };
          },
        },
      },
      jsm: {
        streams: {
          add: ({ name, ...config }: Stream['config'] & { name: string }) =>
            host.ask(() => {
              if (streams.has(name)) throw apiError(400, NAME_IN_USE, 'stream name already in use');
              const empty = { messages: [], lastSeq: 0, lastId: '', ids: new Map(), durables: new Map() };
              streams.set(name, { ...empty, config, created: `${++made}` });
            }),
          update: (name: string) => host.ask(() => void streamOf(name)),
          info: (name: string) =>
            // It drops nothing but what is replaced.
            host.ask(() => ({
              created: streamOf(name).created,
              state: { first_seq: 1, last_seq: streamOf(name).lastSeq },
            })),
          getMessage: (name: string, { last_by_subj: filter }: { last_by_subj: string }) =>
            host.ask(() => {
              const last = streamOf(name).messages.findLast(({ subject }) => matches(filter, subject));
              return last ? { seq: last.seq, header: last.headers } : null;
            }),
        },
        consumers: {
          info: (stream: string, durable: string) => host.ask(() => ({ config: durableOf(stream, durable).config })),
          add: (stream: string, config: Record<string, unknown>) =>
            host.ask(() => {
              const { durables } = streamOf(stream);
              const name = String(config['durable_name'] ?? `ephemeral-${++made}`);
              const next = Number(config['opt_start_seq'] ?? 1);
              if (!durables.has(name)) durables.set(name, { config, next, pending: new Map(), delivered: 0 });
              return { name };
            }),
          delete: (stream: string, name: string) => host.ask(() => streamOf(stream).durables.delete(name)),
          update: (stream: string, durable: string, config: Record<string, unknown>) =>
            host.ask(() => void Object.assign(durableOf(stream, durable).config, config)),
        },
      },
    };
    return nats as unknown as Nats;
  };

  return {
    connect,
    wipe: () => {
      streams = new Map();
    },
    messages: (name) => streams.get(name)?.messages ?? [],
  };
};

type PublishOptions = Readonly<{ headers?: MsgHdrs }>;
type FetchOptions = Readonly<{ max_messages: number; expires: number }>;
type Taken = Readonly<{ message: Message; pending: Pending; durable: Durable; deliverySequence: number }>;

const toJsMsg = (host: Host, trouble: Trouble, timeline: Timeline, taken: Taken) => {
  const { message, pending, durable, deliverySequence } = taken;
  const { deliveries } = pending;
  const settle = (): void => {
    // A later delivery of it is somebody else's to acknowledge, but acknowledged is acknowledged.
    durable.pending.delete(message.seq);
  };
  return {
    subject: message.subject,
    headers: message.headers,
    data: message.data,
    seq: message.seq,
    info: { deliveryCount: deliveries, deliverySequence },
    nak: (ms = 0) => {
      if (host.isAlive()) pending.due = timeline.now() + ms;
    },
    term: () => {
      if (host.isAlive()) settle();
    },
    ackAck: async (): Promise<boolean> => {
      if (trouble.strikes('acknowledgementLost')) return false;
      await host.ask(settle);
      return true;
    },
  };
};

const apiError = (code: number, errCode: number, description: string): JetStreamApiError =>
  new JetStreamApiError({ code, err_code: errCode, description });

const matches = (filter: string, subject: string): boolean => {
  const wanted = filter.split('.');
  const given = subject.split('.');
  for (const [index, part] of wanted.entries()) {
    if (part === '>') return given.length > index;
    if (part !== '*' && part !== given[index]) return false;
  }
  return wanted.length === given.length;
};
