import { queries } from '@privatelink/shared/telemetry/metrics';
import { recordType } from '../zone/rrset.ts';
import type { Answered } from './answer.ts';
import { rcode } from './reply.ts';

const nameOf = (values: Readonly<Record<string, number>>, value: number | undefined): string =>
  Object.entries(values).find(([, known]) => known === value)?.[0] ?? 'other';

/** Counts what was answered; types that no zone has are counted together. */
export const count = ({ transport, type, rcode: code }: Answered): void =>
  queries.inc({ transport, type: nameOf(recordType, type), code: nameOf(rcode, code) });
