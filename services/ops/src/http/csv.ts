/** A value as a cell of RFC 4180. What a spreadsheet would take for a formula begins with an apostrophe. */
const cell = (value: unknown): string => {
  const text = textOf(value);
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
};

export const line = (values: readonly unknown[]): string => `${values.map(cell).join(',')}\r\n`;

/** Of a list its items, of holds their reasons. */
const textOf = (value: unknown): string => {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) return value.map(textOf).join(' ');
  if (typeof value === 'object') return 'reason' in value ? String(value.reason) : JSON.stringify(value);
  return String(value);
};
