import { rpcNamed, type ServiceName } from './contract.ts';
import { openSession, type SessionOptions } from './session.ts';

/** A call of the contract by its name, and where it is to be made, for a command that is more than the call. */
export const openCall = async (service: ServiceName, name: string, options: SessionOptions & { timeout: number }) => {
  const session = openSession(options);
  const target = {
    address: await session.address(service),
    token: await session.token(['operator', 'provider', 'consumer']),
    timeoutMs: options.timeout * 1_000,
  };
  return { method: rpcNamed(name).method, target };
};
