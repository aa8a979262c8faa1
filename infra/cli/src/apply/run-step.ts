import { status } from '@grpc/grpc-js';
import type { Answer } from '../call.ts';
import { getters, idIn, lists } from './answers.ts';
import { StepFailed, StillWaiting } from './failures.ts';
import type { Step } from './plan.ts';
import { requestIdOf } from './request-id.ts';
import { codeOf, reader } from './survey.ts';
import { type Call, type Fields, type Invoke, resolve } from './things.ts';
import { type Patience, until } from './waiting.ts';

/** What a list is to show: whose, which, and since when. */
export type Written = Readonly<{ account: string; list: string; token: string }>;

type Work = Readonly<{
  set: string;
  invoke: Invoke;
  patience: Patience;
  /** Id by name; what is made is added. */
  ids: Map<string, string>;
  written: (what: Written) => void;
}>;

/** Carries steps out. Whatever was done of one before is not done again. */
export const stepRunner = ({ set, invoke, patience, ids, written }: Work) => {
  const read = reader(invoke);

  const call = async (step: Step, { rpc, request }: Call, basis: string): Promise<Answer> => {
    const resolved = resolve(request, ids);
    const id = requestIdOf(set, step, { rpc, request: resolved }, basis);
    const answer = await invoke(step.account, { rpc, request: { request_id: id, ...resolved } });
    const { consistency_token: token } = answer;
    const list = lists[step.kind];
    if (list && typeof token === 'string' && token !== '') written({ account: step.account, list, token });
    return answer;
  };

  const untilActive = async ({ kind, name, account }: Step, id: string): Promise<void> => {
    const getter = getters[kind];
    if (!getter) return;
    await until(`${kind} ${name}`, patience, async () => {
      const answer = await invoke(account, getter.of(id));
      const seen = String((answer[getter.message] as Fields)['status']).replace(/^.*_STATUS_/, '');
      return seen === 'ACTIVE' || seen;
    });
  };

  /** Makes it; where that was done before and it is gone by now, once more. */
  const made = async (step: Step, first: Call): Promise<string> => {
    const vpcId = String(resolve(first.request, ids)['vpc_id'] ?? '');
    for (let time = 0; ; time++) {
      const id = idIn(await call(step, first, String(time)));
      if (await read.one(step.kind, step.account, id, vpcId)) return id;
    }
  };

  const create = async (step: Step): Promise<string> => {
    const [first, ...others] = step.calls;
    if (!first) throw new Error(`nothing makes a ${step.kind}`);
    const id = await made(step, first);
    ids.set(step.name, id);
    await untilActive(step, id);
    for (const other of others) {
      await call(step, other, id);
      await untilActive(step, id);
    }
    return id;
  };

  const change = async (step: Step): Promise<void> => {
    for (const each of step.calls) {
      await call(step, each, step.revision);
      await untilActive(step, step.id);
    }
  };

  /** The connection is there a moment after its endpoint. */
  const decide = async (step: Step): Promise<string> => {
    const [first] = step.calls;
    const id = String(resolve(first?.request ?? {}, ids)['connection_id']);
    let revision = '';
    await until(`${step.kind} ${step.name}`, patience, async () => {
      const connection = await read.connection(step.account, id);
      revision = connection?.revision ?? '';
      return connection !== null || 'not asked for yet';
    });
    for (const each of step.calls) await call(step, each, revision);
    return id;
  };

  const remove = async (step: Step): Promise<void> => {
    for (const each of step.calls) await call(step, each, step.revision);
    const getter = getters[step.kind];
    if (!getter) return;
    await until(`${step.kind} ${step.name}`, patience, async () => {
      try {
        await invoke(step.account, getter.of(step.id));
        return 'DELETING';
      } catch (error) {
        if (codeOf(error) === status.NOT_FOUND) return true;
        throw error;
      }
    });
  };

  /** A line that says what has become of it. */
  const done = async (step: Step): Promise<string> => {
    const what = `${step.kind} ${step.name}`;
    if (step.kind === 'Acceptance') return `~ ${what} ${await decide(step)}`;
    if (step.action === 'create') return `+ ${what} ${await create(step)}`;
    await (step.action === 'delete' ? remove(step) : change(step));
    return `${step.action === 'delete' ? '-' : '~'} ${what} ${step.id}`;
  };

  return async (step: Step): Promise<void> => {
    try {
      patience.progress.done(await done(step));
    } catch (error) {
      throw error instanceof StillWaiting ? error : new StepFailed(`${step.kind} ${step.name}`, error);
    }
  };
};
