import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FakeBroker } from './fake-broker.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

export type AgentProcess = Readonly<{
  /** What it has logged. */
  lines: readonly Readonly<Record<string, unknown>>[];
  said: (text: string) => boolean;
  kill: (signal: NodeJS.Signals) => Promise<number | null>;
  /** With its exit code. */
  exited: Promise<number | null>;
  /** What it has written to stderr. */
  complaint: () => string;
}>;

/** An agent as a process of its own. */
export const startAgent = (
  broker: FakeBroker,
  directory: string,
  env: Record<string, string> = {},
  user: Readonly<{ uid?: number; gid?: number }> = {},
): AgentProcess => {
  const child: ChildProcess = spawn(process.execPath, [main], {
    env: {
      PATH: process.env['PATH'],
      PRIVATELINK_ZONE: 'cn-hangzhou-h',
      PRIVATELINK_INSTANCE: 'agent-1',
      PRIVATELINK_AGENT_DIR: directory,
      PRIVATELINK_BROKER: broker.address,
      PRIVATELINK_TOKEN_FILE: broker.tokenFile,
      PRIVATELINK_JWKS_FILE: broker.jwksFile,
      PRIVATELINK_GRPC_LISTEN: '127.0.0.1:0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...user,
  });
  const lines: Record<string, unknown>[] = [];
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    const parts = (text + chunk).split('\n');
    text = parts.pop() ?? '';
    lines.push(...parts.map((part) => JSON.parse(part)));
  });
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint += chunk;
  });
  const exited = once(child, 'close').then(([code]): number | null => code);
  return {
    lines,
    said: (message) => lines.some(({ msg }) => String(msg).includes(message)),
    kill: (signal) => {
      child.kill(signal);
      return exited;
    },
    exited,
    complaint: () => complaint,
  };
};
