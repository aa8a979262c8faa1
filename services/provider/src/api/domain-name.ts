import { domainToASCII, domainToUnicode } from 'node:url';

/** The TXT record of a name, and of the wildcard below it, is at `_privatelink.` before it. */
const TXT_LABEL = '_privatelink.';
const MAX_NAME = 253 - TXT_LABEL.length;
const WILDCARD = '*.';
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

export type DomainNameProblem = 'SYNTAX' | 'TOO_LONG' | 'TOP_LEVEL' | 'IP_ADDRESS' | 'OURS';

export const txtRecordName = (domainName: string): string => `${TXT_LABEL}${withoutWildcard(domainName)}`;

const withoutWildcard = (domainName: string): string =>
  domainName.startsWith(WILDCARD) ? domainName.slice(WILDCARD.length) : domainName;

/**
 * A name as it is kept: lower case, ASCII, without a dot at its end.
 *
 * @param suffix below it are the names that endpoints get anyway
 */
export const parseDomainName = (
  text: string,
  suffix: string,
): Readonly<{ domainName: string }> | Readonly<{ problem: DomainNameProblem }> => {
  const isWildcard = text.startsWith(WILDCARD);
  const base = toAscii(withoutWildcard(text).replace(/\.$/, ''));
  if (base === null) return { problem: 'SYNTAX' };
  if ((isWildcard ? WILDCARD.length : 0) + base.length > MAX_NAME) return { problem: 'TOO_LONG' };
  const labels = base.split('.');
  if (!labels.every(isLabel)) return { problem: 'SYNTAX' };
  if (labels.length < 2) return { problem: 'TOP_LEVEL' };
  if (/^[0-9]+$/.test(labels.at(-1) ?? '')) return { problem: 'IP_ADDRESS' };
  if (base === suffix || base.endsWith(`.${suffix}`) || suffix.endsWith(`.${base}`)) return { problem: 'OURS' };
  return { domainName: isWildcard ? `${WILDCARD}${base}` : base };
};

/** Only what stands for other characters is converted: the conversion also reads what is no name. */
const toAscii = (text: string): string | null => {
  if (/^[\x20-\x7e]+$/.test(text)) return text.toLowerCase();
  if (/[\p{Cc}\s/\\?#@:%[\]<>^|]/u.test(text)) return null;
  return domainToASCII(text) || null;
};

/** What says that it stands for other characters must do so. */
const isLabel = (label: string): boolean =>
  LABEL.test(label) && (!label.startsWith('xn--') || domainToUnicode(label) !== label);
