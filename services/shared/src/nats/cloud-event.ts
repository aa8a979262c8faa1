import { Fact } from '@privatelink/proto/events/v1/fact';
import { eventKey } from '../facts/events.ts';
import type { PublicFact } from '../facts/public-fact.ts';
import type { Announcement } from './publisher.ts';
import { tenantSubject } from './subjects.ts';

/**
 * A fact as one account sees it: a CloudEvent in the binary mode of the NATS binding, where every attribute, the content
 * type too, is a header of its own. Its id is unique within its source, which is the service as the account sees it.
 */
export const cloudEvent = (fact: PublicFact, accountId: string): Announcement => {
  const { event, service, type, resourceType, resourceId } = fact;
  const attributes: Attributes = {
    specversion: '1.0',
    id: event.id,
    source: `/privatelink/${service}/accounts/${accountId}`,
    type: `com.privatelink.v1.${resourceType}.${type}`,
    subject: `${resourceType}/${resourceId}`,
    time: event.recordedAt,
    datacontenttype: 'application/protobuf',
    // In the order of the texts: that of the positions.
    sequence: eventKey(event.position),
    revision: String(event.revision),
    correlationid: event.metadata['$correlationId'] ?? '',
  };
  const headers = Object.entries(attributes).map(([name, value]) => [`ce-${name}`, encoded(value)]);
  return {
    subject: tenantSubject(fact, accountId),
    body: Fact.encode(fact.seenBy(accountId)).finish(),
    headers: Object.fromEntries(headers),
  };
};

type Attributes = Readonly<
  Record<'specversion' | 'id' | 'source' | 'type' | 'subject' | 'time' | 'datacontenttype', string> &
    Record<'sequence' | 'revision' | 'correlationid', string>
>;

/** As the binding wants it, and HTTP's: what is not printable ASCII, space, quotes and percent signs. */
const encoded = (value: string): string => value.replace(/[^\x21\x23\x24\x26-\x7e]/gu, encodeURIComponent);
