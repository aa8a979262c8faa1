import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findFreePort } from '@privatelink/embedded/free-port';
import type { RunFile } from '@privatelink/embedded/run-file';
import { z } from 'zod';

export const hasPrometheus = ['prometheus', 'promtool'].every((name) => spawnSync(name, ['--version']).status === 0);

/** What it says, or throws where it finds something wrong. */
export const promtool = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)('promtool', args)).stdout;

export type Prometheus = Readonly<{
  /** How many series a query yields now. */
  count: (query: string) => Promise<number>;
  stop: () => Promise<void>;
}>;

const READY_MS = 20_000;
const resultSchema = z.object({ status: z.string(), data: z.object({ result: z.array(z.unknown()) }) });

/** A Prometheus that looks at every process of a system, each second. */
export const startPrometheus = async ({ metrics }: Pick<RunFile, 'metrics'>, rules: string): Promise<Prometheus> => {
  const directory = await mkdtemp(join(tmpdir(), 'privatelink-prometheus-'));
  const config = join(directory, 'prometheus.yaml');
  const targets = metrics.map(({ name, address }) => ({
    targets: [address],
    labels: { service: name.replace(/-(?:.*-)?\d+$/, '') },
  }));
  // JSON is YAML.
  const jobs = [{ job_name: 'privatelink', static_configs: targets }];
  const global = { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' };
  await writeFile(config, JSON.stringify({ global, rule_files: [rules], scrape_configs: jobs }));
  const address = `127.0.0.1:${await findFreePort()}`;
  const flags = { 'config.file': config, 'storage.tsdb.path': join(directory, 'data'), 'web.listen-address': address };
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const child = spawn('prometheus', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit');
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
    await rm(directory, { recursive: true, force: true });
  };
  const isReady = (): Promise<boolean> =>
    fetch(`http://${address}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  for (const giveUpAt = Date.now() + READY_MS; !(await isReady()); ) {
    if (child.exitCode === null && Date.now() < giveUpAt) continue;
    await stop();
    throw new Error(`Prometheus did not start: ${said}`);
  }
  return {
    count: async (query) => {
      const response = await fetch(`http://${address}/api/v1/query?${new URLSearchParams({ query })}`);
      const text = await response.text();
      if (!response.ok) throw new Error(`${query}: ${text}`);
      return resultSchema.parse(JSON.parse(text)).data.result.length;
    },
    stop,
  };
};
