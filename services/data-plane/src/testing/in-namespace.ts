import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

const SERVER = `
  const [host, name] = process.argv.slice(1);
  require('node:http').createServer(({ socket }, response) => response.end(name.replace('%peer', socket.remoteAddress)))
    .listen(0, host, function () { console.log(this.address().port); });
`;

const CLIENT = `
  const [host, port, localAddress] = process.argv.slice(1);
  require('node:http').get({ host, port, localAddress, timeout: 5000 }, (response) => response.pipe(process.stdout))
    .on('timeout', () => { console.log('timeout'); process.exit(); })
    .on('error', ({ code }) => console.log(code));
`;

export const inside = (namespace: string, program: string, ...args: readonly string[]): [string, string[]] => [
  'ip',
  ['netns', 'exec', namespace, process.execPath, '--eval', program, '--', ...args],
];

/** An HTTP server in a namespace that answers everything with its name; `%peer` in it is who asks. */
export const serveIn = (namespace: string, host: string, name: string) => startIn(namespace, SERVER, host, name);

/** Starts a server in a namespace by its program, which is told where to listen and prints its port. */
export const startIn = async (namespace: string, program: string, host: string, ...args: readonly string[]) => {
  const server = spawn(...inside(namespace, program, host, ...args), { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(server, 'exit');
  const port = Number(await once(server.stdout, 'data'));
  return {
    ip: host,
    port,
    stop: async (): Promise<void> => {
      server.kill('SIGKILL');
      await exited;
    },
  };
};

/**
 * What an HTTP request from a namespace is answered with, or the code of the error that it ends with.
 *
 * @param from one of its addresses; whichever it takes, unless given
 */
export const requestFrom = async (namespace: string, host: string, port: number, from?: string): Promise<string> => {
  const { stdout } = await promisify(execFile)(
    ...inside(namespace, CLIENT, host, String(port), ...(from ? [from] : [])),
  );
  return stdout.trim();
};
