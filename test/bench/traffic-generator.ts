// Load for machines without iperf3 or wrk: one process of Node, which is soon the limit itself.
import { connect, createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';

const CHUNK = Buffer.alloc(256 * 1024);
const REQUEST = 'GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n';

/** Takes what each connection sends, and says in the end how many bytes that were. */
const sink = (port: number): void => {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    let bytes = 0;
    socket.on('data', (data: Buffer) => {
      bytes += data.length;
    });
    socket.once('end', () => socket.end(String(bytes)));
  });
  server.listen(port, '0.0.0.0', () => console.log('listening'));
};

/** @returns bits per second */
const send = async (host: string, port: number, seconds: number): Promise<number> => {
  const socket = connect({ host, port, allowHalfOpen: true });
  const started = performance.now();
  const deadline = started + seconds * 1_000;
  const write = (): void => {
    while (performance.now() < deadline) if (!socket.write(CHUNK)) return;
    socket.off('drain', write);
    socket.end();
  };
  socket.on('drain', write);
  socket.once('connect', write);
  const bytes = Number(await text(socket));
  return (bytes * 8) / ((performance.now() - started) / 1_000);
};

/** @returns connections per second, each with one request that was answered */
const knock = async (host: string, port: number, seconds: number, atATime: number): Promise<number> => {
  const started = performance.now();
  const deadline = started + seconds * 1_000;
  let answered = 0;
  const ask = async (): Promise<void> => {
    while (performance.now() < deadline) {
      const socket: Socket = connect({ host, port, noDelay: true });
      socket.write(REQUEST);
      if (!(await text(socket)).includes(' 200 ')) throw new Error('a request was not answered');
      answered += 1;
    }
  };
  await Promise.all(Array.from({ length: atATime }, ask));
  return answered / ((performance.now() - started) / 1_000);
};

const [what, port = '', host = '', seconds = '', atATime = ''] = process.argv.slice(2);
if (what === 'sink') sink(Number(port));
else if (what === 'send') console.log(await send(host, Number(port), Number(seconds)));
else console.log(await knock(host, Number(port), Number(seconds), Number(atATime)));
