import { Fact } from '@privatelink/proto/events/v1/fact';
import type { StoredEvent } from '../eventing/message.ts';
import type { FactReader } from '../facts/fact-reader.ts';
import { InvalidMessage } from './consumer.ts';
import type { Announcement } from './publisher.ts';
import { factSubject } from './subjects.ts';

/** Makes of each recorded event what leaves the service. */
export const factAnnouncer =
  (read: FactReader) =>
  async (event: StoredEvent): Promise<readonly Announcement[]> => {
    const fact = await read(event);
    if (!fact) return [];
    return [{ subject: factSubject(fact), body: Fact.encode(fact.whole()).finish() }];
  };

/** What such an announcement says. */
export const readFact = (subject: string, body: Uint8Array): Fact => {
  try {
    return Fact.decode(body);
  } catch (cause) {
    throw new InvalidMessage(`${subject} carries no fact`, { cause });
  }
};
