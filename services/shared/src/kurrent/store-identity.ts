import { randomUUID } from 'node:crypto';
import { type EventStore, WrongRevision } from '../eventing/ports.ts';

export const STORE_IDENTITY_CATEGORY = 'storeIdentity';
const STREAM = `${STORE_IDENTITY_CATEGORY}-privatelink`;

/**
 * Which store this is: whoever comes first names it, and a restore from a backup appends a new name. Checkpoints and
 * tokens keep it, so that none of another store, or of a past that was cut off, is taken for valid.
 */
export const storeIdentity = async (store: EventStore): Promise<string> => {
  for (;;) {
    for await (const event of store.read(STREAM, { from: 'end', direction: 'backwards', maxCount: 1 })) {
      return (event.data as { storeId: string }).storeId;
    }
    const metadata = {
      $correlationId: STREAM,
      $causationId: STREAM,
      accountId: '',
      actor: 'service:shared',
      requestId: '',
      fingerprint: '',
      producer: 'shared',
    };
    try {
      const event = { id: randomUUID(), type: 'StoreNamed.v1', data: { storeId: randomUUID() }, metadata };
      await store.append(STREAM, [event], 'no-stream');
    } catch (error) {
      if (!(error instanceof WrongRevision)) throw error;
    }
  }
};
