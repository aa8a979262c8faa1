/** A record of many keys in parts, so that a change copies one part and not the whole. JSON, as states are. */
export type Parted<T> = Readonly<Record<string, Readonly<Record<string, T>>>>;

const PARTS = 128;
const FACTOR = 31;

const partOf = (key: string): string => {
  let hash = 0;
  for (let index = 0; index < key.length; index++) hash = (Math.imul(hash, FACTOR) + key.charCodeAt(index)) | 0;
  return String(Math.abs(hash % PARTS));
};

export const valueAt = <T>(parted: Parted<T>, key: string): T | undefined => {
  const part = parted[partOf(key)];
  return part && Object.hasOwn(part, key) ? part[key] : undefined;
};

export const withValue = <T>(parted: Parted<T>, key: string, value: T): Parted<T> => {
  const part = partOf(key);
  return { ...parted, [part]: { ...parted[part], [key]: value } };
};

export const withoutKey = <T>(parted: Parted<T>, key: string): Parted<T> => {
  const part = partOf(key);
  const { [key]: _, ...rest } = parted[part] ?? {};
  return { ...parted, [part]: rest };
};

/** In no order. */
export const entriesOf = <T>(parted: Parted<T>): readonly (readonly [string, T])[] =>
  Object.values(parted).flatMap((part) => Object.entries(part));
