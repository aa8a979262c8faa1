type Enumeration = Readonly<Record<string, string>>;

/** Short name of an enum's value: what the domain, the events and the read models use. */
export type EnumName<E extends Enumeration> = Exclude<keyof E & string, 'UNSPECIFIED' | 'UNRECOGNIZED'>;

/** Undefined for what was not said, and for what a newer client said. */
export const enumName = <E extends Enumeration>(enumeration: E, value: E[keyof E]): EnumName<E> | undefined => {
  const name = Object.keys(enumeration).find((key) => enumeration[key] === value);
  return name === undefined || name === 'UNSPECIFIED' || name === 'UNRECOGNIZED' ? undefined : (name as EnumName<E>);
};

/** The short names of all values. */
export const enumNames = <E extends Enumeration>(enumeration: E): readonly string[] =>
  Object.keys(enumeration).filter((name) => name !== 'UNSPECIFIED' && name !== 'UNRECOGNIZED');
