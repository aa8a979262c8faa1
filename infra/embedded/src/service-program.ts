import { fileURLToPath } from 'node:url';
import { loopback } from './free-port.ts';
import { waitServing } from './health.ts';
import type { Program } from './program.ts';
import { type ProgramName, programFolders } from './service-names.ts';

/** The file that starts a service or a zone agent. */
export const serviceMain = (name: ProgramName): string =>
  fileURLToPath(new URL(`../../../services/${programFolders[name]}/src/main.ts`, import.meta.url));

/** One replica of a service or an agent, run by the Node that runs this. It is ready when its gRPC health says SERVING. */
export function serviceProgram(options: {
  readonly name: string;
  readonly main: string;
  readonly env: NodeJS.ProcessEnv;
  readonly port: number;
}): Program {
  const { name, main, env, port } = options;
  return {
    name,
    quiet: false,
    prepare: async () => ({
      name,
      command: process.execPath,
      args: [main],
      env,
      stopSignal: 'SIGTERM',
    }),
    ready: (signal) => waitServing(`${loopback}:${port}`, signal),
  };
}
