import { status } from '@grpc/grpc-js';
import { RemoteError } from './remote-error.ts';

/** How long a stream that broke off waits before it is opened again. */
export const RETRY_MS = 500;

/** Whether nobody answered, or whoever did went away: another one may come. */
export const isAway = (error: unknown): boolean => error instanceof RemoteError && error.code === status.UNAVAILABLE;
