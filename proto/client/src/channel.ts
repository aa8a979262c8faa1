import { isIPv4, isIPv6 } from 'node:net';
import type { ChannelOptions } from '@grpc/grpc-js';

const serviceConfig = JSON.stringify({
  loadBalancingConfig: [{ round_robin: {} }],
  methodConfig: [
    {
      name: [{}],
      // Safe for mutations too: each carries a request id or is idempotent by itself.
      retryPolicy: {
        maxAttempts: 4,
        initialBackoff: '0.05s',
        maxBackoff: '1s',
        backoffMultiplier: 3,
        retryableStatusCodes: ['UNAVAILABLE'],
      },
    },
  ],
  retryThrottling: { maxTokens: 100, tokenRatio: 0.1 },
});

/** How every client of a service connects, balances and retries. */
export const channelOptions: ChannelOptions = {
  'grpc.service_config': serviceConfig,
  'grpc.service_config_disable_resolution': 1,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2_000,
};

/**
 * Where a channel goes, turn by turn over the addresses that answer. A host name may stand for several addresses by
 * itself; grpc-js takes a list only of addresses.
 *
 * @throws TypeError when several addresses are not all IP addresses of one family
 */
export const targetOf = (addresses: readonly string[]): string => {
  const hosts = addresses.map((address) => address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, ''));
  if (hosts.every(isIPv4)) return `ipv4:${addresses.join(',')}`;
  if (hosts.every(isIPv6)) return `ipv6:${addresses.join(',')}`;
  const [only, ...others] = addresses;
  if (only !== undefined && others.length === 0) return `dns:///${only}`;
  throw new TypeError(`${addresses.join(', ')}: several addresses must all be IP addresses of one family`);
};
