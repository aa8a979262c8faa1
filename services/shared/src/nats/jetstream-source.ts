import { AckPolicy, DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import type { Followed } from '../app/run-subscription.ts';
import type { StoredEvent } from '../eventing/message.ts';
import type { Nats } from './connect.ts';
import { fromMsgHdrs } from './headers.ts';
import type { StreamName } from './streams.ts';

const PULL_MESSAGES = 256;
const PULL_MS = 5_000;
/** The server forgets where nobody has asked for longer; then it is begun anew. */
const FORGOTTEN_AFTER_MS = 30_000;

/**
 * A JetStream stream as something that is followed in order, as the event store is: positions are its sequences, and
 * prefixes are subjects. Nothing is acknowledged; where a follower stands it keeps itself.
 */
export const jetStreamSource = ({ js, jsm }: Nats, stream: StreamName): Followed => ({
  tail: async () => BigInt((await jsm.streams.info(stream)).state.last_seq),
  subscribe: async function* ({ prefixes: [filter = '>'], after, signal }) {
    const { name } = await jsm.consumers.add(stream, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: Number(after ?? 0n) + 1,
      filter_subject: filter,
      inactive_threshold: nanos(FORGOTTEN_AFTER_MS),
    });
    try {
      const pull = await js.consumers.get(stream, name);
      for (let delivered = 0; !signal.aborted; ) {
        const messages = await pull.fetch({ max_messages: PULL_MESSAGES, expires: PULL_MS });
        const stop = () => void messages.close();
        signal.addEventListener('abort', stop, { once: true });
        try {
          for await (const message of messages) {
            if (signal.aborted) return;
            // What the server sent while the connection was lost never came.
            if (message.info.deliverySequence !== ++delivered) throw new Error(`messages of ${stream} are missing`);
            yield { kind: 'event', event: toEvent(message) };
          }
        } finally {
          signal.removeEventListener('abort', stop);
        }
      }
    } finally {
      void jsm.consumers.delete(stream, name).catch(() => undefined);
    }
  },
});

const toEvent = ({ subject, seq, headers, data }: JsMsg): StoredEvent => {
  const metadata = fromMsgHdrs(headers);
  return {
    ...{ id: String(seq), type: subject, stream: subject, revision: BigInt(seq), position: BigInt(seq) },
    ...{ data, metadata, recordedAt: metadata['recorded-at'] ?? '' },
  };
};
