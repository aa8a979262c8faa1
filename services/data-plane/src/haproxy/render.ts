import { isIPv6 } from 'node:net';
import { type Bind, checkName, type Forward, formatEndpoint, malformation, nameOf, type Target } from './forward.ts';

export type RenderOptions = Readonly<{
  /** Tells this configuration from others of the same directory: HAProxy says which one it runs. */
  id: string;
  /** Flows of a replaced configuration are cut after this long. */
  hardStopAfterSeconds: number;
  /** Files and sockets that a worker may have open: about two a flow. */
  maxSockets: number;
  /** How often each target is looked at. */
  checkIntervalMs: number;
  /** What tells a network namespace from another that had its name before. */
  namespaces: ReadonlyMap<string, string>;
}>;

/** Of HAProxy's own in its directory, which it runs in. */
export const MASTER_SOCKET = 'master.sock';
export const WORKER_SOCKET = 'worker.sock';

/** Ours: no escaping is needed, for all that is interpolated is a number or has been checked to be one plain word. */
const ID = /^[A-Za-z0-9-]{1,64}$/;

/** HAProxy's configuration that does these forwards, and nothing else; the same for the same set of them. */
export const renderConfig = (forwards: readonly Forward[], options: RenderOptions): string => {
  if (!ID.test(options.id)) throw new Error('The id of a configuration is malformed');
  const names = new Set<string>();
  for (const forward of forwards) {
    const problem = malformation(forward);
    if (problem) throw new Error(`A forward cannot be rendered: ${problem}`);
    if (names.has(nameOf(forward))) throw new Error(`${nameOf(forward)} is there twice`);
    names.add(nameOf(forward));
  }
  const sections = forwards
    .filter((forward) => forward.binds.length > 0)
    .map((forward) => ({ name: nameOf(forward), text: section(forward, options.namespaces) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const head = `${limits(options)}${IDENTITY}${options.id}\n${COMMON}`;
  return [head, checks(forwards, options), ...sections.map(({ text }) => text)].join('\n');
};

const IDENTITY = '  description ';

const limits = ({ hardStopAfterSeconds, maxSockets }: RenderOptions): string => `global
  fd-hard-limit ${maxSockets}
  hard-stop-after ${hardStopAfterSeconds}s
  stats socket unix@${WORKER_SOCKET} mode 600 level admin
`;

// What a flow carries is counted while it lasts.
// An idle flow lives as long as both ends answer keepalives; the timeouts are the longest that HAProxy can count.
const COMMON = `defaults
  mode tcp
  option contstats
  balance leastconn
  timeout connect 2s
  timeout client 24d
  timeout server 24d
  option clitcpka
  clitcpka-idle 60s
  clitcpka-intvl 10s
  clitcpka-cnt 6
  option srvtcpka
  srvtcpka-idle 60s
  srvtcpka-intvl 10s
  srvtcpka-cnt 6
`;

/** Where something is; the comment tells a namespace from one that was made anew under that name. */
const within = (namespace: string | null, namespaces: ReadonlyMap<string, string>): string => {
  if (namespace === null) return '';
  const generation = namespaces.get(namespace) ?? '';
  return ` namespace ${namespace}${/^\w+$/.test(generation) ? ` # ${generation}` : ''}`;
};

/** Of what HAProxy looks at only. */
export const CHECKS = 'checks';

/**
 * Each target is looked at once, however many forward to it, and apart from them: whether it answers is reported, and
 * keeps nobody from trying it.
 */
const checks = (forwards: readonly Forward[], { checkIntervalMs, namespaces }: RenderOptions): string => {
  const servers = forwards
    .filter(({ binds }) => binds.length > 0)
    .flatMap(({ targets, targetNamespace }) =>
      targets.map((target) => {
        const where = formatEndpoint(target.ip, target.port);
        return `  server ${checkName(target, targetNamespace)} ${where} check${within(targetNamespace, namespaces)}`;
      }),
    );
  const common = `  default-server inter ${checkIntervalMs}ms fall 3 rise 2`;
  return [`backend ${CHECKS}`, common, ...[...new Set(servers)].sort(), ''].join('\n');
};

const section = (forward: Forward, namespaces: ReadonlyMap<string, string>): string => {
  const { binds, targets, targetNamespace, source, proxyProtocol } = forward;
  const from = source === null ? '' : ` source ${source}`;
  const bind = ({ host, port, namespace }: Bind) =>
    `  bind ${formatEndpoint(host, port)}${within(namespace, namespaces)}`;
  const server = ({ ip, port }: Target, index: number) =>
    `  server t${index + 1} ${formatEndpoint(ip, port)}${from}${proxyProtocol ? PROXY_V2 : ''}${within(targetNamespace, namespaces)}`;
  return [
    `listen ${nameOf(forward)}`,
    ...binds.map(bind),
    ...admitting(forward),
    ...(proxyProtocol ? [`  unique-id-format ${forward.connectionId}`] : []),
    ...retrying(targets.length),
    ...targets.map(server),
    '',
  ].join('\n');
};

/** HAProxy takes an IPv4 address for an IPv6 one where it is compared with one: so the interface's own address says which. */
const admitting = ({ binds, port, ingress }: Forward): readonly string[] => {
  if (ingress === null) return [];
  const about = ingress.filter(({ fromPort, toPort }) => fromPort <= port && port <= toPort);
  const lines = about.flatMap(({ allowed, sourceCidr }) =>
    binds
      .filter(({ host }) => isIPv6(host) === sourceCidr.includes(':'))
      .map(
        ({ host }) =>
          `  tcp-request connection ${allowed ? 'accept' : 'reject'} if { dst ${host} } { src ${sourceCidr} }`,
      ),
  );
  return [...lines, '  tcp-request connection reject'];
};

const PROXY_V2 = ' send-proxy-v2 proxy-v2-options unique-id';

/** Another target is tried at once. The same one again would be a second later: then the client is told at once. */
const retrying = (targets: number): readonly string[] =>
  targets > 1 ? ['  retries 2', '  option redispatch 1'] : ['  retries 0'];

export type ConfigText = Readonly<{
  id: string;
  /** All but the forwards and the id. */
  common: string;
  /** The lines of what is looked at. */
  checks: ReadonlySet<string>;
  /** By the names of their forwards. */
  sections: ReadonlyMap<string, string>;
}>;

/** What `renderConfig` made a text of; null if it did not make it. */
export const readConfig = (text: string): ConfigText | null => {
  const [whole = '', ...sections] = text.split(/^(?=listen )/m);
  const [head = '', checked = ''] = whole.split(/^(?=backend )/m);
  const id = /^ {2}description (\S+)$/m.exec(head)?.[1];
  if (id === undefined) return null;
  return {
    id,
    common: head.replace(`${IDENTITY}${id}`, '').trimEnd(),
    checks: new Set(checked.trimEnd().split('\n')),
    sections: new Map(sections.map((section) => [/^listen (\S+)/.exec(section)?.[1] ?? '', section.trimEnd()])),
  };
};

export type HeldBind = Readonly<{ address: string; namespace: string | null; generation: string | null }>;

/** What a section listens on. */
export const bindsOf = (section: string): readonly HeldBind[] =>
  [...section.matchAll(/^ {2}bind (\S+)(?: namespace (\S+))?(?: # (\S+))?$/gm)].map((match) => ({
    address: match[1] ?? '',
    namespace: match[2] ?? null,
    generation: match[3] ?? null,
  }));

export const serversOf = (section: string): readonly string[] =>
  [...section.matchAll(/^ {2}server (\S+) /gm)].map((match) => match[1] ?? '');
