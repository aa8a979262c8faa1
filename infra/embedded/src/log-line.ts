/** What a line of a program's output says, for people: the message of a pino line, else the line itself. */
export function messageOf(text: string): string {
  const record = parseRecord(text);
  if (!record) return text.trim();
  const error = record['err'];
  const cause = isRecord(error) && typeof error['message'] === 'string' ? error['message'] : undefined;
  return [record['msg'], cause].filter((part) => typeof part === 'string' && part !== '').join(': ');
}

/**
 * Whether a line is the message of an error rather than what surrounds it, such as a stack. `broker: ...` is how a
 * program says why it ends.
 */
export const tellsOfError = (text: string): boolean =>
  isErrorLevel(parseRecord(text)?.['level']) ||
  /^[a-z-]+: /.test(text) ||
  /^(\w*Error\b|\w+ error:|FATAL|\[\d+\].*\[(ERR|FTL)\])/i.test(text);

/** Levels have names in the logs of the services, and numbers wherever pino is left as it is. */
const isErrorLevel = (level: unknown): boolean => level === 'error' || level === 'fatal' || Number(level) >= 50;

/** The record of a JSON log line, or undefined for any other line. */
export function parseRecord(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
