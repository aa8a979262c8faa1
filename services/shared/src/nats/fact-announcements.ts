import { Fact } from '@privatelink/proto/events/v1/fact';
import type { StoredEvent } from '../eventing/message.ts';
import type { FactReader } from '../facts/fact-reader.ts';
import { cloudEvent } from './cloud-event.ts';
import { InvalidMessage } from './consumer.ts';
import type { Announcement } from './publisher.ts';
import { factSubject } from './subjects.ts';

/** Makes of each recorded event what leaves the service: a message to each account that is shown it, and one to services. */
export const factAnnouncer =
  (read: FactReader) =>
  async (event: StoredEvent): Promise<readonly Announcement[]> => {
    const fact = await read(event);
    if (!fact) return [];
    const toServices = { subject: factSubject(fact), body: Fact.encode(fact.whole()).finish() };
    // It comes last, so that whoever follows the facts of a service stands at the end of its stream.
    return [...fact.audience.map((accountId) => cloudEvent(fact, accountId)), toServices];
  };

/** What such an announcement says. */
export const readFact = (subject: string, body: Uint8Array): Fact => {
  try {
    return Fact.decode(body);
  } catch (cause) {
    throw new InvalidMessage(`${subject} carries no fact`, { cause });
  }
};
