import { BusinessStatus, type Lock } from '@privatelink/proto/common/v1/common';
import { timestamp } from './timestamp.ts';

type PlacedLock = Readonly<{
  kind: 'SECURITY_LOCKED' | 'FINANCIAL_LOCKED';
  source: string;
  message: string;
  at: string;
}>;

/** A lock of a service or an endpoint, as it is shown to its owner. */
export const toLock = ({ kind, source, message, at }: PlacedLock): Lock => ({
  ...{ message, source, placeTime: timestamp(at), businessStatus: BusinessStatus[kind] },
});
