import { status } from '@grpc/grpc-js';
import { Fact } from '@privatelink/proto/events/v1/fact';
import type {
  DeadLetter as Message,
  OperationsServiceServer,
} from '@privatelink/proto/operations/v1/operations_service';
import type { Logger } from 'pino';
import { Unavailable } from '../app/errors.ts';
import { failpoint } from '../app/failpoint.ts';
import { isRepeated } from '../app/plan-batch.ts';
import { noRequests } from '../app/request-log.ts';
import { Rejected } from '../eventing/rejected.ts';
import type { RpcContext } from '../grpc/context.ts';
import type { PageTokens } from '../grpc/page-token.ts';
import type { ErrorCatalogue } from '../grpc/status.ts';
import { timestamp } from '../grpc/timestamp.ts';
import { unary } from '../grpc/unary.ts';
import { checkId, checkPageSize, checkRequestId, checkText, violations } from '../grpc/validate.ts';
import { isOutage } from '../nats/consumer.ts';
import { type DeadLetter, type DeadLetters, type LetterEnd, reasonOf } from '../nats/dead-letters.ts';
import type { IncomingMessage } from '../nats/incoming-message.ts';

export type DeadLetterDeps = Readonly<{
  letters: DeadLetters;
  /** The consumers that there are, each with what it does with a message. */
  handlers: ReadonlyMap<string, (message: IncomingMessage) => Promise<void>>;
  pages: PageTokens;
  log: Logger;
}>;

export const deadLetterErrors = {
  DEAD_LETTER_NOT_FOUND: {
    code: status.NOT_FOUND,
    message: ({ dead_letter_id }) => `this service has no dead letter ${dead_letter_id}`,
  },
  CONSUMER_NOT_FOUND: {
    code: status.FAILED_PRECONDITION,
    message: ({ consumer }) => `this service has no consumer ${consumer} any more: the letter can only be discarded`,
  },
  REPLAY_FAILED: {
    code: status.FAILED_PRECONDITION,
    message: ({ consumer, cause }) => `${consumer} failed again, and the letter stays: ${cause}`,
  },
} satisfies ErrorCatalogue;

type Reason = keyof typeof deadLetterErrors;

type Rpcs = Pick<OperationsServiceServer, 'listDeadLetters' | 'replayDeadLetter' | 'discardDeadLetter'>;

const MAX_PAGE_SIZE = 200;
const MAX_MESSAGE = 256;
const SHOWN = 4_096;

/** What operators do with the messages that could not be handled. */
export const deadLetterOperations = ({ letters, handlers, pages, log }: DeadLetterDeps): Rpcs => {
  /** Once for each request: whoever asks again, because no answer came, is told the same. */
  const endOnce = async (
    id: string,
    { command, actor, correlationId }: RpcContext,
    how: LetterEnd['how'],
    message: string,
    beforehand: (letter: DeadLetter) => Promise<void>,
  ) => {
    const letter = await letters.find(id).catch(away);
    const ended = letter ? null : await letters.findEnd(id).catch(away);
    const answered = ended ? { creation: { ...ended, revision: '' }, recent: [] } : noRequests;
    if (ended && isRepeated(answered, command)) return answer(ended);
    if (!letter) throw new Rejected<Reason>('DEAD_LETTER_NOT_FOUND', { dead_letter_id: id });
    await beforehand(letter);
    await failpoint('dead-letter:before-removal');
    const { requestId, fingerprint } = command;
    const end = await letters.end(letter, { how, actor, message, requestId, fingerprint }).catch(away);
    const { consumer, reason } = letter;
    log.info({ deadLetter: id, consumer, reason, actor, message, correlationId }, `dead letter ${how}`);
    return answer(end);
  };

  return {
    listDeadLetters: unary(async ({ pageSize, pageToken, consumer }, { caller, method }) => {
      const v = violations();
      const limit = Math.min(checkPageSize(v, pageSize), MAX_PAGE_SIZE);
      v.check('consumer', /^[a-z_]{0,64}$/.test(consumer), 'must be the name of a consumer');
      v.throwIfAny();
      const query = { accountId: caller.accountId, method, filters: { consumer } };
      const after = Number(pages.read(query, pageToken) ?? 0);
      const found = await letters.list(consumer, after, limit + 1).catch(away);
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return {
        deadLetters: page.map(toMessage),
        nextPageToken: found.length > limit && last ? pages.issue(query, String(last.sequence)) : '',
      };
    }),

    replayDeadLetter: unary(async ({ deadLetterId, requestId }, rpc) => {
      const v = violations();
      checkId(v, 'dead_letter_id', deadLetterId, 'dl');
      checkRequestId(v, requestId);
      v.throwIfAny();
      return endOnce(deadLetterId, rpc, 'replayed', '', async (letter) => {
        const { consumer, message } = letter;
        const handle = handlers.get(consumer);
        if (!handle) throw new Rejected<Reason>('CONSUMER_NOT_FOUND', { consumer });
        try {
          await handle({ ...message, deliveryCount: message.deliveryCount + 1 });
        } catch (err) {
          if (isOutage(err)) throw new Unavailable('CONSUMER_UNAVAILABLE', `${consumer}: ${reasonOf(err)}`);
          log.warn({ deadLetter: letter.id, consumer, actor: rpc.actor, err }, 'dead letter failed again');
          await letters.keep(letter, err).catch(away);
          throw new Rejected<Reason>('REPLAY_FAILED', { consumer, cause: reasonOf(err) });
        }
      });
    }),

    discardDeadLetter: unary(async ({ deadLetterId, requestId, message }, rpc) => {
      const v = violations();
      checkId(v, 'dead_letter_id', deadLetterId, 'dl');
      checkRequestId(v, requestId);
      if (checkText(v, 'message', message, MAX_MESSAGE)) v.check('message', message !== '', 'must say why');
      v.throwIfAny();
      return endOnce(deadLetterId, rpc, 'discarded', message, async () => undefined);
    }),
  };
};

const away = (cause: unknown): never => {
  throw new Unavailable('NATS_UNAVAILABLE', 'JetStream does not answer', { cause });
};

const answer = ({ consumer, at }: LetterEnd) => ({ consumer, endTime: timestamp(at) });

const toMessage = ({ id, consumer, message, reason, setAsideAt, failedAt }: DeadLetter): Message => {
  const { subject, headers, body, deliveryCount } = message;
  const fact = factIn(message);
  return {
    ...{ deadLetterId: id, consumer, subject, reason, deliveryCount },
    ...{ setAsideTime: timestamp(setAsideAt), failureTime: timestamp(failedAt), sizeBytes: BigInt(body.length) },
    correlationId: headers['correlation-id'] ?? '',
    body: bodyOf(fact ? Buffer.from(JSON.stringify(Fact.toJSON(fact))) : body),
  };
};

/** What is no fact may still decode as one that says nothing. */
const factIn = ({ subject, body }: IncomingMessage): Fact | null => {
  if (!subject.startsWith('evt.')) return null;
  try {
    const fact = Fact.decode(body);
    return fact.eventId === '' ? null : fact;
  } catch {
    return null;
  }
};

const bodyOf = (bytes: Uint8Array): Message['body'] => {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (!/[^\P{Cc}\t\r\n]/u.test(text)) return { $case: 'text', value: text.slice(0, SHOWN) };
  } catch {
    // It is no text.
  }
  return { $case: 'raw', value: Buffer.from(bytes.subarray(0, SHOWN)) };
};
