import type { DescMessage } from '@bufbuild/protobuf';
import { registry } from '@privatelink/shared/grpc/json-call';
import type { Answer } from '../call.ts';

/** A fact as a service tells it, in the contract's names. */
export type Fact = Answer &
  Readonly<{
    event_id: string;
    type: string;
    source_stream: string;
    source_revision: string;
    position: string;
    record_time: string;
    correlation_id: string;
    causation_id: string;
    actor: string;
    transition?: Readonly<{ from: string; to: string; because: string }>;
  }>;

export const factMessage = (): DescMessage => {
  const found = registry.getMessage('privatelink.events.v1.Fact');
  if (!found) throw new Error('the contract has no Fact');
  return found;
};

/** `connection ep-...` */
export const resourceOf = (fact: Fact): string => {
  const kinds = factMessage().oneofs.find(({ name }) => name === 'resource')?.fields ?? [];
  const kind = kinds.find(({ name }) => fact[name] !== undefined && fact[name] !== null)?.name ?? '';
  return `${kind.replaceAll('_', '-')} ${fact.source_stream.slice(fact.source_stream.indexOf('-') + 1)}`;
};

export const timeOf = ({ record_time }: Fact): string =>
  record_time.replace('T', ' ').replace(/Z$/, '').padEnd(23, '0').slice(0, 23);

/** `ConnectionAccepted -> CONNECTING` */
export const factOf = ({ type, transition }: Fact): string =>
  transition && transition.from !== transition.to ? `${type} -> ${transition.to}` : type;
