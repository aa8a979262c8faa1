/**
 * A domain name as it stands on the wire (length-prefixed labels, closing root), one character per byte, ASCII letters
 * in lower case. Unlike dotted text it is unambiguous for any bytes a query may carry, and a parent is a plain suffix.
 */
export type WireName = string;

export const rootName: WireName = '\0';

const maxNameBytes = 255;
const label = /^[a-z0-9_*-]{1,63}$/;

/** Turns dotted text into a wire name; throws a RangeError naming what is wrong with it. */
export function wireName(text: string): WireName {
  const labels = text.toLowerCase().replace(/\.$/, '').split('.');
  const bad = labels.find((part) => !label.test(part));
  if (bad !== undefined) throw new RangeError(`"${text}" is no host name: label "${bad}"`);
  const name = labels.map((part) => String.fromCharCode(part.length) + part).join('') + rootName;
  if (name.length > maxNameBytes) throw new RangeError(`"${text}" is no host name: longer than ${maxNameBytes} bytes`);
  return name;
}

/** The name without its first label. The root has no parent and must not be asked for one. */
export function parentName(name: WireName): WireName {
  return name.slice(name.charCodeAt(0) + 1);
}

/** The wildcard directly below a name. */
export function wildcardBelow(name: WireName): WireName {
  return `\x01*${name}`;
}
