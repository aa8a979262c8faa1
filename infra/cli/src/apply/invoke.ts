import { setTimeout } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { accessOf } from '@privatelink/shared/grpc/access';
import { call, requestFrom } from '../call.ts';
import { rpcNamed } from '../contract.ts';
import { CallFailed, UsageError } from '../failure.ts';
import { openSession, type Session, type SessionOptions } from '../session.ts';
import type { AccountOf } from './read-set.ts';
import { codeOf } from './survey.ts';
import type { Invoke } from './things.ts';

/** Nobody answered, or not in time: what is asked may have been done, and to ask again does nothing twice. */
const AGAIN: readonly (number | null)[] = [status.UNAVAILABLE, status.DEADLINE_EXCEEDED];
const TRIES = 5;
const BETWEEN_TRIES_MS = 500;

type Options = SessionOptions & Readonly<{ timeout: number }>;

/** Calls for the accounts of a file, each with a token of its own. */
export const invokeFor = (options: Options, accountOf: ReadonlyMap<string, AccountOf>): Invoke => {
  const given = options.token ?? process.env['PLCTL_TOKEN'];
  if (given !== undefined && accountOf.size > 1)
    throw new UsageError(
      'a token is for one account, and the files name several: use profiles, or the development key',
    );
  const sessions = new Map<string, Session>();
  const sessionOf = (name: string): Session => {
    const before = sessions.get(name);
    if (before) return before;
    const { account: _given, ...others } = options;
    // A profile says its account itself.
    const known = accountOf.get(name);
    const opened = openSession({ ...(known && 'profile' in known ? others : options), ...known });
    sessions.set(name, opened);
    return opened;
  };
  return async (account, { rpc, request }) => {
    const { method, servedBy } = rpcNamed(rpc);
    const [service, ...others] = servedBy;
    if (!service || others.length > 0) throw new Error(`${rpc} is served by more than one service`);
    const session = sessionOf(account);
    const target = {
      address: await session.address(service),
      token: await session.token(accessOf(`${method.parent.typeName}/${method.name}`)?.roles ?? []),
      timeoutMs: options.timeout * 1_000,
    };
    const message = requestFrom(method, request);
    for (let left = TRIES - 1; ; left--) {
      try {
        for await (const answer of call(method, message, target)) return answer;
        throw new Error(`${rpc} answered nothing`);
      } catch (error) {
        if (left === 0 || !AGAIN.includes(codeOf(error))) throw new CallFailed(error, method.input, '');
        await setTimeout(BETWEEN_TRIES_MS);
      }
    }
  };
};
