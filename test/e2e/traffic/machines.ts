import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Stage } from '../../support/stage.ts';

/** The agents of a zone, by name. */
export const agentsOf = (zone: string): readonly string[] => [1, 2].map((number) => `data-plane-${zone}-${number}`);

/** The processes of a zone's HAProxy. */
export const haproxyOf = async ({ dataDir }: Pick<Stage, 'dataDir'>, zone: string): Promise<readonly number[]> => {
  const directory = `${join(dataDir, 'data-plane', zone)}/`;
  const { stdout } = await promisify(execFile)('ps', ['-axww', '-o', 'pid=,args=']);
  const lines = stdout.split('\n').filter((line) => line.includes(directory) && line.includes('haproxy'));
  return lines.map((line) => Number.parseInt(line, 10));
};
