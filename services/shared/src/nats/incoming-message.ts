import type { Headers } from './headers.ts';

/** As its consumer is given it. */
export type IncomingMessage = Readonly<{
  subject: string;
  headers: Headers;
  body: Uint8Array;
  /** 1 at first. */
  deliveryCount: number;
}>;
