import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { inside, startIn } from './in-namespace.ts';

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

/** A server in a namespace by which throughput is measured. */
export const meterIn = (namespace: string, host: string) => startIn(namespace, SERVER, host);

/** What several flows from a namespace carry together, in Mbit/s, once what was saved up before has been used. */
export const throughput = async (
  namespace: string,
  to: Readonly<{ host: string; port: number }>,
  direction: 'up' | 'down',
  flows = 4,
): Promise<number> => {
  const args = [to.host, String(to.port), direction, String(flows), '2000', '3000'];
  const { stdout } = await promisify(execFile)(...inside(namespace, CLIENT, ...args));
  return Number(stdout.trim());
};
