import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { defaultDataDir } from '@privatelink/embedded/command-line';
import { loadSigningKey, mintToken } from '@privatelink/embedded/keys';
import { readRunFile } from '@privatelink/embedded/run-file';
import { type Role, roles } from '@privatelink/shared/grpc/access';
import { parse } from 'yaml';
import { z } from 'zod';
import { type ServiceName, serviceNames } from './contract.ts';
import { UsageError } from './failure.ts';

/** Who calls, and where; each of it by option, else by profile, else as the development system says. */
export type SessionOptions = Readonly<{
  config?: string;
  profile?: string;
  account?: string;
  role?: readonly string[];
  token?: string;
  dataDir?: string;
}>;

const profileSchema = z.strictObject({
  account: z.string().optional(),
  roles: z.array(z.enum(roles)).optional(),
  token: z.string().optional(),
  data_dir: z.string().optional(),
  addresses: z.partialRecord(z.enum(serviceNames), z.string()).optional(),
});
const configSchema = z.strictObject({
  current: z.string().optional(),
  profiles: z.record(z.string(), profileSchema),
});

type Profile = z.infer<typeof profileSchema>;

export type Session = Readonly<{
  dataDir: string;
  /** Empty for the staff. */
  account: string;
  /** As the caller names them. */
  roles: readonly Role[] | undefined;
  address: (service: ServiceName) => Promise<string>;
  /** @param allowed the roles that may make the call: where the caller names none, those that fit the account */
  token: (allowed: readonly Role[]) => Promise<string>;
}>;

const DEFAULT_CONFIG = join(homedir(), '.config', 'plctl.yaml');
const TTL_SECONDS = 3_600;
const OF_ACCOUNTS: readonly Role[] = ['provider', 'consumer'];
const OF_STAFF: readonly Role[] = ['operator', 'billing'];

export const openSession = (options: SessionOptions): Session => {
  const profile = readProfile(options);
  const dataDir = options.dataDir ?? profile.data_dir ?? defaultDataDir;
  const account = options.account ?? profile.account ?? '';
  const fitting = account === '' ? OF_STAFF : OF_ACCOUNTS;
  return {
    dataDir,
    account,
    roles: rolesFrom(options.role) ?? profile.roles,
    address: async (service) => profile.addresses?.[service] ?? (await running(dataDir)).grpc[service][0] ?? '',
    token: async (allowed) => {
      const token = options.token ?? process.env['PLCTL_TOKEN'] ?? profile.token;
      if (token !== undefined) return token;
      // What the development key signs is nobody else's business.
      if (profile.addresses)
        throw new UsageError('a profile with addresses needs a token: PLCTL_TOKEN, or in the profile');
      const named = rolesFrom(options.role) ?? profile.roles ?? allowed.filter((role) => fitting.includes(role));
      return mint(dataDir, { account, roles: named, ttlSeconds: TTL_SECONDS });
    },
  };
};

const rolesFrom = (named: readonly string[] | undefined): readonly Role[] | undefined => {
  if (!named || named.length === 0) return undefined;
  const unknown = named.filter((name) => !roles.some((role) => role === name));
  if (unknown.length > 0) throw new UsageError(`--role ${unknown.join(', ')}: must be one of ${roles.join(', ')}`);
  return roles.filter((role) => named.includes(role));
};

type Minted = Readonly<{ account: string; roles: readonly Role[]; ttlSeconds: number }>;

/** With the development system's own key. */
export const mint = async (dataDir: string, { account, roles: named, ttlSeconds }: Minted): Promise<string> => {
  const file = join(dataDir, 'keys', 'issuer.jwk');
  const key = await loadSigningKey(file).catch((error: Error) => {
    throw new UsageError(`no development key at ${file} (${error.message}): start the system, or give --token`);
  });
  return mintToken({ subject: process.env['USER'] ?? 'plctl', account, roles: named, key, ttlSeconds });
};

/** Where everything is, as the running system says. */
export const running = async (dataDir: string) =>
  readRunFile(dataDir).catch(() => {
    throw new UsageError(`no system runs in ${dataDir}: start it with npm start, or name addresses in a profile`);
  });

const readProfile = ({ config, profile }: SessionOptions): Profile => {
  const named = config ?? process.env['PLCTL_CONFIG'];
  const file = named ?? DEFAULT_CONFIG;
  const text = readText(file);
  if (text === undefined) {
    if (named !== undefined || profile !== undefined) throw new UsageError(`there is no ${file}`);
    return {};
  }
  const read = configSchema.safeParse(parsed(file, text));
  if (!read.success) throw new UsageError(`${file}: ${z.prettifyError(read.error).replaceAll('\n', ' ')}`);
  const name = profile ?? read.data.current;
  if (name === undefined) return {};
  const found = read.data.profiles[name];
  if (!found)
    throw new UsageError(`${file} has no profile ${name}: it has ${Object.keys(read.data.profiles).join(', ')}`);
  return found;
};

const readText = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`);
  }
};

const parsed = (file: string, text: string): unknown => {
  try {
    return parse(text);
  } catch (error) {
    throw new UsageError(`${file} is no YAML: ${(error as Error).message.split('\n')[0]}`);
  }
};
