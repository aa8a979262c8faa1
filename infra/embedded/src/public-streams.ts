import type { PublicStreams } from './nats-config.ts';

/** What the services announce, and the durable consumers by which they listen to each other. */
export const publicStreams: PublicStreams = {
  EVT_PROVIDER: [],
  EVT_CONSUMER: [],
  EVT_BROKER: [],
  EVT_DNS: [],
};
