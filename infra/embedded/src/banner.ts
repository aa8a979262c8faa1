import { styleText } from 'node:util';
import type { RunFile } from './run-file.ts';

type BannerOptions = { readonly colour: boolean; readonly loginLink: string | undefined };

/** Where everything is, and what to try first. */
export function banner(run: RunFile, runFile: string, { colour, loginLink }: BannerOptions): string {
  const paint = (style: 'bold' | 'dim', text: string) =>
    colour ? styleText(style, text, { validateStream: false }) : text;
  const rows = [
    ['provider', 'gRPC', run.grpc.provider.join(', ')],
    ['consumer', 'gRPC', run.grpc.consumer.join(', ')],
    ['broker', 'gRPC', run.grpc.broker.join(', ')],
    ['dns', 'gRPC', run.grpc.dns.join(', ')],
    ['names', 'DNS', `${run.dns.addresses.join(', ')}  (udp and tcp, *.${run.dns.suffix})`],
    ['forwarding', run.dataPlane.mode, describeForwarding(run.dataPlane)],
    ['events', 'NATS', withoutPassword(run.nats.url)],
    ['event store', 'KurrentDB', withoutPassword(run.eventStore.url)],
    ['read models', 'PostgreSQL', withoutPassword(run.postgres.url)],
    ['metrics', 'OpenMetrics', run.metrics.map(({ address }) => address).join(', ')],
  ] as const;
  return [
    '',
    paint('bold', 'PrivateLink is running'),
    ...rows.map(
      ([what, kind, where]) => `  ${paint('bold', what.padEnd(12))} ${paint('dim', kind.padEnd(11))} ${where}`,
    ),
    `  ${paint('dim', `addresses, users and keys: ${runFile}`)}`,
    '',
    ...(loginLink === undefined
      ? []
      : [
          `  Dashboard:            ${loginLink}`,
          '                        signs you in as an operator, once; another link:',
          '                        node_modules/.bin/node infra/embedded/src/login-link.ts',
        ]),
    '  See the whole story:  npm run demo',
    '  Make a call:          token=$(node_modules/.bin/node infra/embedded/src/token.ts --account 1000000000000001 --role provider)',
    '                        node_modules/.bin/buf curl --protocol grpc --http2-prior-knowledge \\',
    '                          -H "authorization: Bearer $token" --reflect-header "*" \\',
    `                          http://${run.grpc.provider[0]}/privatelink.provider.v1.ProviderService/ListEndpointServices`,
    '  Stop:                 ctrl-C',
    '',
  ].join('\n');
}

const describeForwarding = ({ mode, zones }: RunFile['dataPlane']): string =>
  mode === 'none'
    ? 'connections are confirmed, and no traffic is forwarded'
    : `by HAProxy in ${zones.map(({ zoneId }) => zoneId).join(', ')}`;

/** Credentials are in the run file, which only its owner may read; a terminal is often seen by others. */
function withoutPassword(url: string): string {
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  return shown.href;
}
