import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

/** Sends on and on to whoever says `down`; tells whoever says `up` how much has arrived. */
const SERVER = `
  const [host] = process.argv.slice(1);
  const chunk = Buffer.alloc(65536);
  require('node:net').createServer((socket) => {
    let arrived = 0;
    socket.on('error', () => undefined).once('data', (word) => {
      const send = () => { while (socket.write(chunk)); };
      if (String(word).startsWith('down')) return socket.on('drain', send) && send();
      const telling = setInterval(() => socket.write(arrived + '\\n'), 50);
      socket.on('data', ({ length }) => { arrived += length; }).on('close', () => clearInterval(telling));
    });
  }).listen(0, host, function () { console.log(this.address().port); });
`;

/** Prints the Mbit/s of all flows together, from the time on when they have had theirs to begin. */
const CLIENT = `
  const [host, port, direction, flows, begin, measure] = process.argv.slice(1);
  const chunk = Buffer.alloc(65536);
  const arrived = new Array(Number(flows)).fill(0);
  arrived.forEach((_, index) => {
    const socket = require('node:net').connect({ host, port }, () => {
      socket.write(direction.padEnd(8));
      const send = () => { while (socket.write(chunk)); };
      if (direction === 'up') setTimeout(() => socket.on('drain', send) && send(), 50);
    });
    socket.on('error', (error) => { console.log(error.code); process.exit(); }).on('data', (data) => {
      if (direction === 'down') arrived[index] += data.length;
      else arrived[index] = Number(String(data).trim().split('\\n').at(-1));
    });
  });
  const sum = () => arrived.reduce((all, one) => all + one);
  setTimeout(() => {
    const [before, since] = [sum(), performance.now()];
    setTimeout(() => {
      console.log((sum() - before) / 125 / (performance.now() - since));
      process.exit();
    }, Number(measure));
  }, Number(begin));
`;

const run = promisify(execFile);
const inside = (namespace: string, program: string, ...args: readonly string[]): [string, string[]] => [
  'ip',
  ['netns', 'exec', namespace, process.execPath, '--eval', program, '--', ...args],
];

/** A server in a namespace by which throughput is measured. */
export const meterIn = async (namespace: string, host: string) => {
  const server = spawn(...inside(namespace, SERVER, host), { stdio: ['ignore', 'pipe', 'inherit'] });
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

/** What several flows from a namespace carry together, in Mbit/s, once what was saved up before has been used. */
export const throughput = async (
  namespace: string,
  to: Readonly<{ host: string; port: number }>,
  direction: 'up' | 'down',
  flows = 4,
): Promise<number> => {
  const args = [to.host, String(to.port), direction, String(flows), '2000', '3000'];
  const { stdout } = await run(...inside(namespace, CLIENT, ...args));
  return Number(stdout.trim());
};
