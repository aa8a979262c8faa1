import { parseArgs } from 'node:util';
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { startEventStore } from './event-store.ts';

function fail(error: unknown): never {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`event store: ${message.replaceAll(/\s+/g, ' ')}\n`);
  process.exit(1);
}

function readOptions(): { dataDir: string; host: string; port: number } {
  const { values } = parseArgs({
    options: {
      'data-dir': { type: 'string' },
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '2113' },
    },
  });
  const dataDir = values['data-dir'];
  const port = Number(values.port);
  if (dataDir === undefined || dataDir === '') throw new Error('--data-dir is missing');
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`--port ${values.port} is not a port`);
  return { dataDir, host: values.host, port };
}

// What the gRPC library would log beside our one line about a failure says the same.
setLogVerbosity(logVerbosity.NONE);
try {
  const log = (line: string): boolean => process.stderr.write(`${line}\n`);
  const store = await startEventStore({ ...readOptions(), log, onFailure: fail });
  const stop = (): void => {
    store.close().then(() => process.exit(0), fail);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.stdout.write(`${JSON.stringify({ ready: true, port: store.port })}\n`);
} catch (error) {
  fail(error);
}
