import type { Service } from '@privatelink/shared/runtime/lifecycle';
import type { Host } from './host.ts';

/** A log that keeps what no program ever should have to say, and tells everything to who listens. */
export const serviceLog = (
  host: Host,
  complaints: string[],
  told: ((line: string) => void) | undefined,
): Service['log'] => {
  const line = (level: string) => (fields: object, message: string) => {
    const { err, ...rest } = fields as { err?: unknown };
    const isComplaint = level === 'error' || level === 'fatal';
    if (!host.isAlive() || !(isComplaint || told)) return;
    const text = `${host.name}: ${message}: ${JSON.stringify(rest, asText)} ${err === undefined ? '' : describe(err)}`;
    if (isComplaint) complaints.push(text);
    told?.(`${host.clock.now().toISOString().slice(14, 23)} ${level} ${text}`);
  };
  const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
  return Object.fromEntries(levels.map((level) => [level, line(level)])) as unknown as Service['log'];
};

const asText = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);

export const describe = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : ` <- ${describe(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
};
