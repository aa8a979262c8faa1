import { loopback } from './free-port.ts';

/** What a NATS user may do; absent permissions mean everything. */
export type NatsUser = {
  readonly user: string;
  readonly permissions?: {
    readonly publish: { readonly allow?: readonly string[]; readonly deny?: readonly string[] };
    readonly subscribe: { readonly allow: readonly string[] };
  };
};

/** The JetStream streams that subscribers may read, with the consumers in them that belong to services. */
export type PublicStreams = Readonly<Record<string, readonly string[]>>;

/** The inbox of subscribers: replies to other users stay out of their sight. */
export const subscriberInbox = '_INBOX.subscriber';

/**
 * The users of the development server: the services, someone who reads along, and the billing system.
 * Whoever may create consumers on a stream may read all of it, whatever they may subscribe to; so the streams are named
 * one by one, and the services' own consumers are closed to others.
 */
export function developmentUsers(streams: PublicStreams): readonly NatsUser[] {
  const names = Object.keys(streams);
  return [
    { user: 'service' },
    {
      user: 'subscriber',
      permissions: {
        publish: {
          allow: ['$JS.API.INFO', '$JS.API.STREAM.NAMES', ...names.flatMap(readStream)],
          deny: names.flatMap((stream) => (streams[stream] ?? []).flatMap((name) => touchConsumer(stream, name))),
        },
        subscribe: { allow: ['evt.>', 'privatelink.>', `${subscriberInbox}.>`] },
      },
    },
    {
      user: 'billing',
      permissions: {
        publish: { allow: ['billing.v1.>'] },
        // The acknowledgement of a JetStream publish.
        subscribe: { allow: ['_INBOX.billing.>'] },
      },
    },
  ];
}

const tenantPrefix = 'account-';

/** Whose user it is; undefined unless it is an account's. */
export const accountOfUser = (user: string): string | undefined => /^account-(\d{16})$/.exec(user)?.[1];

/**
 * An account's user: it reads what it is told, as it happens. It may publish nothing, and so cannot call JetStream either,
 * where a consumer of its own could be filled with others' subjects, or have messages delivered wherever it says.
 */
export function tenantUser(account: string): NatsUser {
  const user = `${tenantPrefix}${account}`;
  return {
    user,
    permissions: {
      publish: { deny: ['>'] },
      subscribe: { allow: [tenantSubjects(account), `_INBOX.${user}.>`] },
    },
  };
}

export const tenantSubjects = (account: string): string => `privatelink.v1.${account}.>`;

/** A user as the configuration file has it. */
export const configuredUser = ({ user, permissions }: NatsUser, password: string | undefined) => ({
  user,
  password,
  ...(permissions && { permissions }),
});

const readStream = (stream: string): string[] => [`$JS.API.STREAM.INFO.${stream}`, ...touchConsumer(stream, '*')];

const touchConsumer = (stream: string, consumer: string): string[] => [
  ...(consumer === '*' ? [`$JS.API.CONSUMER.CREATE.${stream}`] : []),
  `$JS.API.CONSUMER.CREATE.${stream}.${consumer}`,
  `$JS.API.CONSUMER.CREATE.${stream}.${consumer}.>`,
  `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.${consumer}`,
  `$JS.API.CONSUMER.INFO.${stream}.${consumer}`,
  `$JS.API.CONSUMER.DELETE.${stream}.${consumer}`,
  `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`,
  `$JS.ACK.${stream}.${consumer}.>`,
];

/** The configuration file of the development server. JSON is a subset of the format nats-server reads. */
export function natsConfig(options: {
  readonly port: number;
  readonly storeDir: string;
  readonly users: readonly NatsUser[];
  readonly passwords: Readonly<Record<string, string>>;
}): string {
  const users = options.users.map((user) => configuredUser(user, options.passwords[user.user]));
  const config = {
    server_name: 'privatelink',
    host: loopback,
    port: options.port,
    jetstream: { store_dir: options.storeDir },
    authorization: { users },
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
