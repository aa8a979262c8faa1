import { type DestinationStream, type Logger, pino } from 'pino';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export type LogOptions = Readonly<{ service: string; instance: string; level: LogLevel }>;

const secretKeys = ['token', 'authorization', 'password', 'secret', 'privateKey', 'postgres', 'eventStore', 'nats'];
const REDACTED = '[redacted]';

/** A connection string without what lets one in; of anything else nothing. */
const censor = (value: unknown): string => {
  if (typeof value !== 'string' || !URL.canParse(value)) return REDACTED;
  const url = new URL(value);
  return `${url.protocol}//${url.host}${url.pathname}`;
};

/** JSON lines to stdout. Tokens, passwords and connection strings' credentials never get there. */
export const createLog = (
  { service, instance, level }: LogOptions,
  destination: DestinationStream = pino.destination({ fd: 1, sync: true }),
): Logger =>
  pino(
    {
      level,
      base: { service, instance },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: [...secretKeys, ...secretKeys.map((key) => `*.${key}`)], censor },
    },
    destination,
  );
