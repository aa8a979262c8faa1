import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '@privatelink/shared/runtime/clock';
import { createLog } from '@privatelink/shared/runtime/log';
import { expect } from 'vitest';
import { openStage } from '../haproxy/engine.test-support.ts';
import { createEngine } from '../haproxy/engine.ts';
import type { Bind } from '../haproxy/forward.ts';
import { type AgentProcess, startAgent } from './agent-process.ts';
import { startFakeBroker } from './fake-broker.ts';

export const SOON = { timeout: 60_000, interval: 10 };

export type AgentStage = Awaited<ReturnType<typeof openAgentStage>>;

/** A broker, agents of one zone that share a directory, and what they forward to; all of it ends with the test. */
export const openAgentStage = async () => {
  const root = await mkdtemp(join(tmpdir(), 'privatelink-agent-'));
  const directory = join(root, 'agent');
  const broker = await startFakeBroker(root);
  const { target, connect, occupy, close } = openStage();
  const agents = new Set<AgentProcess>();
  const closings: (() => Promise<unknown> | unknown)[] = [];
  return {
    directory,
    broker,
    target,
    connect,
    occupy,
    onClose: (closing: () => Promise<unknown> | unknown): void => {
      closings.push(closing);
    },
    start: (env: Record<string, string> = {}, user: Readonly<{ uid?: number; gid?: number }> = {}): AgentProcess => {
      const agent = startAgent(broker, directory, env, user);
      agents.add(agent);
      return agent;
    },
    kill: (agent: AgentProcess, signal: NodeJS.Signals): Promise<number | null> => {
      agents.delete(agent);
      return agent.kill(signal);
    },
    confirmed: async (...ids: readonly string[]): Promise<void> => {
      await expect.poll(() => ids.filter((id) => !broker.isConfirmed(id)), SOON).toEqual([]);
    },
    haproxyPids: async (): Promise<number[]> => {
      const { stdout } = await promisify(execFile)('ps', ['-axww', '-o', 'pid=,args=']);
      const ours = stdout.split('\n').filter((line) => line.includes(`${directory}/`) && line.includes('haproxy '));
      return ours.map((line) => Number.parseInt(line, 10));
    },
    close: async (): Promise<void> => {
      for (const agent of agents) await agent.kill('SIGKILL');
      const log = createLog({ service: 'test', instance: 'test', level: 'silent' });
      await createEngine({ binary: 'haproxy', dir: directory, log, clock: systemClock }).stop();
      for (const closing of closings) await closing();
      await close();
      await broker.stop();
      await rm(root, { recursive: true });
    },
  };
};

export const resourceOf = (...targets: readonly { ip: string; port: number }[]) => ({ resourceId: 'nlb-1', targets });

/** A listener's `host:port`. */
export const bindOf = (address = ''): Bind => {
  const [host = '', port] = address.split(':');
  return { host, port: Number(port), namespace: null };
};
