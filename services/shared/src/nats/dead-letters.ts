import { JetStreamApiCodes, JetStreamApiError, type StoredMsg } from '@nats-io/jetstream';
import type { Logger } from 'pino';
import { Unavailable } from '../app/errors.ts';
import { resourceId } from '../app/event-id.ts';
import type { Clock } from '../eventing/ports.ts';
import type { Nats } from './connect.ts';
import { fromMsgHdrs, toMsgHdrs } from './headers.ts';
import type { IncomingMessage } from './incoming-message.ts';
import { ensureStream } from './streams.ts';
import { deadLetterSubject, endedLetterSubject } from './subjects.ts';

/** A message that its consumer could not handle. */
export type DeadLetter = Readonly<{
  id: string;
  consumer: string;
  message: IncomingMessage;
  reason: string;
  /** When it was set aside, and when it was last tried in vain. */
  setAsideAt: string;
  failedAt: string;
  /** In its stream, of what is stored of it now. */
  sequence: number;
}>;

/** How an operator ended a letter, and by which request. */
export type LetterEnd = Readonly<{
  consumer: string;
  how: 'replayed' | 'discarded';
  actor: string;
  message: string;
  requestId: string;
  fingerprint: string;
  at: string;
}>;

const STREAM = 'DLQ';
const MESSAGE_ID = 'Nats-Msg-Id';
/** Of what has the same subject, only the last is kept: what is written of a letter takes its place, at once or not at all. */
const REPLACE = { 'Nats-Rollup': 'sub' } as const;

type WriteDeps = Readonly<{ nats: Nats; service: string; clock: Clock; log: Logger }>;

type Failed = Readonly<{
  consumer: string;
  message: IncomingMessage;
  /** Tells messages apart that have no id. */
  sequence?: string;
  cause: unknown;
}>;

/**
 * Stores a dead letter; true once it is stored, so that the message may be given up. The same message, set aside again, is
 * the same letter.
 */
export const setAside = async (
  { nats, service, clock, log }: WriteDeps,
  { consumer, message, sequence = '', cause }: Failed,
): Promise<boolean> => {
  const { subject, headers, body } = message;
  // Announced anew it has the same id, in another place of its stream.
  const content = Buffer.from(body).toString('base64');
  const id = resourceId('dl', JSON.stringify([consumer, subject, headers[MESSAGE_ID] ?? sequence, content]));
  const address = deadLetterSubject(service, consumer, id);
  const setAsideAt = clock.now().toISOString();
  try {
    await nats.js.publish(address, body, { headers: toMsgHdrs(headersOf(message, cause, setAsideAt)) });
    return true;
  } catch (err) {
    log.warn({ consumer, subject: address, err }, 'dead letter not stored');
    return false;
  }
};

export type DeadLetters = ReturnType<typeof deadLetters>;

/** The letters of a service's consumers, as an operator sees and ends them. */
export const deadLetters = ({ nats, service, clock }: Omit<WriteDeps, 'log'>) => {
  const anyOf = (consumer: string, id: string): string => deadLetterSubject(service, consumer, id);
  const after = (subject: string, sequence: number): Promise<StoredMsg | null> =>
    nats.jsm.direct.getMessage(STREAM, { seq: sequence + 1, next_by_subj: subject });

  const open = async (): Promise<void> => {
    // Else whoever asks would wait for it to come back.
    if (!nats.isConnected()) throw new Unavailable('NATS_UNAVAILABLE', 'NATS is away');
    await ensureStream(nats, STREAM);
  };

  return {
    /** The next ones after a sequence, of one consumer or all; what was last tried longest ago comes first. */
    list: async (consumer: string, sequence: number, limit: number): Promise<readonly DeadLetter[]> => {
      await open();
      const letters: DeadLetter[] = [];
      while (letters.length < limit) {
        const stored = await after(anyOf(consumer || '*', '*'), letters.at(-1)?.sequence ?? sequence);
        if (!stored) break;
        letters.push(read(stored));
      }
      return letters;
    },

    find: async (id: string): Promise<DeadLetter | null> => {
      await open();
      const stored = await after(anyOf('*', id), 0);
      return stored && read(stored);
    },

    /** How many there are, by consumer. */
    count: async (): Promise<ReadonlyMap<string, number>> => {
      await open();
      const { state } = await nats.jsm.streams.info(STREAM, { subjects_filter: anyOf('*', '*') });
      const counts = new Map<string, number>();
      for (const subject of Object.keys(state.subjects ?? {})) {
        const [, , consumer = ''] = subject.split('.');
        counts.set(consumer, (counts.get(consumer) ?? 0) + 1);
      }
      return counts;
    },

    /** It was tried once more in vain. Nothing changes where it was ended or tried by somebody else meanwhile. */
    keep: async ({ id, consumer, message, setAsideAt, sequence }: DeadLetter, cause: unknown): Promise<void> => {
      const tried = { ...message, deliveryCount: message.deliveryCount + 1 };
      const headers = toMsgHdrs(headersOf(tried, cause, setAsideAt));
      const expect = { lastSubjectSequence: sequence };
      await nats.js.publish(anyOf(consumer, id), message.body, { headers, expect }).catch((error: unknown) => {
        if (!(error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamWrongLastSequence))
          throw error;
      });
    },

    /** Removes it, and keeps who did so and how. */
    end: async ({ id, consumer }: DeadLetter, by: Omit<LetterEnd, 'consumer' | 'at'>): Promise<LetterEnd> => {
      const end = { ...by, consumer, at: clock.now().toISOString() };
      await nats.js.publish(endedLetterSubject(service, consumer, id), '', {
        headers: toMsgHdrs({ ...end, ...REPLACE }),
      });
      await nats.jsm.streams.purge(STREAM, { filter: anyOf(consumer, id) });
      return end;
    },

    /** How it was last ended; null if never. */
    findEnd: async (id: string): Promise<LetterEnd | null> => {
      const stored = await after(endedLetterSubject(service, '*', id), 0);
      return stored && (fromMsgHdrs(stored.header) as LetterEnd);
    },
  };
};

const OWN = 'dead-letter-';

const headersOf = ({ subject, headers, deliveryCount }: IncomingMessage, cause: unknown, setAsideAt: string) => ({
  ...Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('Nats-'))),
  [`${OWN}message-id`]: headers[MESSAGE_ID] ?? '',
  [`${OWN}subject`]: subject,
  [`${OWN}reason`]: reasonOf(cause),
  [`${OWN}deliveries`]: String(deliveryCount),
  [`${OWN}time`]: setAsideAt,
  ...REPLACE,
});

export const reasonOf = (cause: unknown): string =>
  (cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)).slice(0, 1_000);

const read = ({ subject, seq: sequence, header, data: body, time }: StoredMsg): DeadLetter => {
  const [, , consumer = '', id = ''] = subject.split('.');
  const all = Object.entries(fromMsgHdrs(header)).filter(([name]) => !name.startsWith('Nats-'));
  const own = Object.fromEntries(all.filter(([name]) => name.startsWith(OWN)));
  const messageId = own[`${OWN}message-id`];
  const headers = {
    ...Object.fromEntries(all.filter(([name]) => !name.startsWith(OWN))),
    ...(messageId && { [MESSAGE_ID]: messageId }),
  };
  const deliveryCount = Number(own[`${OWN}deliveries`]);
  return {
    ...{ id, consumer, sequence, reason: own[`${OWN}reason`] ?? '' },
    message: { subject: own[`${OWN}subject`] ?? '', headers, body, deliveryCount },
    ...{ setAsideAt: own[`${OWN}time`] ?? '', failedAt: time.toISOString() },
  };
};
