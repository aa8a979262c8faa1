/** `CONNECTION_STATUS_SERVICE_DELETED` as `SERVICE_DELETED`. */
export const shortName = (name: string): string =>
  name.replace(
    /^(CONNECTION_STATUS|ENDPOINT_SERVICE_STATUS|ENDPOINT_STATUS|BUSINESS_STATUS|ZONE_STATUS|HOLD_REASON|DECISION|ENDPOINT_TYPE|ADDRESS_TYPE|RESOURCE_TYPE|PAYER|TEARDOWN|RESPONSE_CODE|CUSTOM_DOMAIN_STATUS|SUPPORTED_REGION_STATUS)_/,
    '',
  );

const ACRONYM = /\b(ipv4|ipv6|[cna]lb|gwlb|vpc|dns|id)\b/g;

/** As people read it: `Service deleted`. */
export const words = (name: string): string => {
  const lower = shortName(name).replaceAll('_', ' ').toLowerCase();
  const text = lower.replace(ACRONYM, (word) => word.toUpperCase()).replace(/\bIPV(?=\d)/g, 'IPv');
  return text.charAt(0).toUpperCase() + text.slice(1);
};

const STEPS = [
  [60, 'second'],
  [60, 'minute'],
  [24, 'hour'],
  [Number.POSITIVE_INFINITY, 'day'],
] as const;
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' });

/** `3 min. ago`. */
export const ago = (time: string, now = Date.now()): string => {
  let value = (Date.parse(time) - now) / 1_000;
  for (const [size, unit] of STEPS) {
    if (Math.abs(value) < size) return relative.format(Math.round(value), unit);
    value /= size;
  }
  return time;
};

const absolute = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });

export const at = (time: string): string => absolute.format(new Date(time));

export const number = new Intl.NumberFormat('en').format;

/** So many in a second. */
export const rate = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 }).format;

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];

/** `1.23 MB` */
export const bytes = (count: number | string): string => {
  let value = Number(count);
  let unit = 0;
  // Before it would be shown as 1,000 of its unit.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${unit === 0 ? number(Math.round(value)) : rate(value)} ${UNITS[unit]}`;
};

export const times = (count: number): string => (count === 1 ? 'once' : `${number(count)} times`);
