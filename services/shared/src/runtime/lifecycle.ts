import type { Logger } from 'pino';
import { createLog, type LogLevel, logLevels } from './log.ts';
import { StartupError } from './startup-error.ts';

export type Service = Readonly<{
  log: Logger;
  /** Aborts when the service begins to stop. */
  signal: AbortSignal;
  /** Run when the service stops, the latest first, one after another. */
  onStop: (stop: () => Promise<void> | void) => void;
  /** Ends the service with exit code 1: something without which it must not go on has failed. */
  fail: (error: unknown) => void;
}>;

const STOP_GRACE_MS = 10_000;

/**
 * Runs a service until a signal, its parent's end or a fatal error stops it. `start` constructs everything and
 * returns; what it has started it gives back in `onStop`.
 *
 * With PRIVATELINK_PARENT_PIPE=1 stdin is a pipe from the parent: its end means that nobody supervises us any more.
 */
export const runService = async (name: string, start: (service: Service) => Promise<void>): Promise<void> => {
  const log = createLog({ service: name, instance: process.env['PRIVATELINK_INSTANCE'] ?? name, level: levelOf() });
  const stopping = new AbortController();
  const stops: (() => Promise<void> | void)[] = [];

  const stop = async (exitCode: number): Promise<void> => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    setTimeout(() => {
      log.error({ graceMs: STOP_GRACE_MS }, 'did not stop in time');
      process.exit(exitCode || 1);
    }, STOP_GRACE_MS).unref();
    let code = exitCode;
    for (const step of stops.reverse()) {
      try {
        await step();
      } catch (error) {
        code ||= 1;
        log.error({ err: error }, 'a step of stopping failed');
      }
    }
    log.info('stopped');
    process.exit(code);
  };

  const fail = (error: unknown): void => {
    if (error instanceof StartupError) {
      process.stderr.write(`${name}: ${error.message}\n`);
      void stop(error.exitCode);
      return;
    }
    log.fatal({ err: error }, 'fatal');
    void stop(1);
  };

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log.info({ signal }, 'stopping');
      void stop(0);
    });
  }
  process.on('unhandledRejection', fail);
  process.on('uncaughtException', fail);
  if (process.env['PRIVATELINK_PARENT_PIPE'] === '1') {
    process.stdin.on('close', () => {
      log.warn('the parent is gone');
      void stop(0);
    });
    process.stdin.resume();
  }

  const service: Service = {
    log,
    signal: stopping.signal,
    onStop: (step) => stops.push(step),
    fail,
  };
  try {
    await start(service);
    if (!stopping.signal.aborted) log.info('started');
  } catch (error) {
    // A start that was interrupted fails for that reason alone.
    if (!stopping.signal.aborted) fail(error);
  }
};

/** The configuration, once read, refuses a wrong level; until then there must be a log. */
const levelOf = (): LogLevel => logLevels.find((level) => level === process.env['PRIVATELINK_LOG_LEVEL']) ?? 'info';
