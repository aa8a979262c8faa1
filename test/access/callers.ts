import { loadSigningKey, mintToken } from '@privatelink/embedded/keys';
import type { RunFile } from '@privatelink/embedded/run-file';
import { type Role, roles } from '@privatelink/shared/grpc/access';
import { type Caller, openCaller } from './call.ts';
import type { CallerName } from './row.ts';
import type { ServiceName } from './rpcs.ts';
import { accounts, type Party } from './scene.ts';

export type Callers = Readonly<{
  /** A caller as one of the matrix is to this service. */
  as: (name: CallerName, service: ServiceName) => Readonly<{ caller: Caller; party: Party }>;
  /** The owner of what this service keeps, with one role only. */
  ownerIn: (role: Role, service: ServiceName) => Caller;
  nobody: Caller;
  close: () => void;
}>;

/** Endpoints and networks are the consumer's; everything else is the provider's. */
export const ownerOf = (service: ServiceName): Party => (service === 'consumer' ? 'C' : 'P');

export const openCallers = async (run: RunFile): Promise<Callers> => {
  const key = await loadSigningKey(run.issuer.keyFile);
  const open = async (account: string, ...having: readonly Role[]): Promise<Caller> => {
    const token = await mintToken({ subject: 'matrix', account, roles: having, key, ttlSeconds: 3_600 });
    return openCaller(run, `Bearer ${token}`);
  };
  const parties = new Map<Party, Caller>();
  for (const party of ['P', 'C', 'S'] as const) parties.set(party, await open(accounts[party], 'provider', 'consumer'));
  const inRole = new Map<string, Caller>();
  for (const role of roles) {
    inRole.set(role, await open(role === 'provider' || role === 'consumer' ? accounts.S : '', role));
    for (const party of ['P', 'C'] as const) inRole.set(`${party} ${role}`, await open(accounts[party], role));
  }
  const nobody = openCaller(run);
  const get = <K>(map: ReadonlyMap<K, Caller>, name: K): Caller => {
    const caller = map.get(name);
    if (!caller) throw new Error(`no caller ${name}`);
    return caller;
  };
  const partyOf = (name: CallerName, service: ServiceName): Party => {
    if (name === 'owner') return ownerOf(service);
    return name === 'counterpart' ? (ownerOf(service) === 'P' ? 'C' : 'P') : 'S';
  };
  return {
    as: (name, service) => {
      const party = partyOf(name, service);
      const isParty = name === 'owner' || name === 'counterpart' || name === 'stranger';
      return { caller: isParty ? get(parties, party) : get(inRole, name), party };
    },
    ownerIn: (role, service) => get(inRole, `${ownerOf(service)} ${role}`),
    nobody,
    close: () => {
      for (const caller of [...parties.values(), ...inRole.values(), nobody]) caller.close();
    },
  };
};
