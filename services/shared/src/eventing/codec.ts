import type { AnyEvent, Recorded, StoredEvent } from './message.ts';

/** Reads unknown JSON or throws; zod's schemas fit. */
export type Schema<T> = Readonly<{ parse: (input: unknown) => T }>;

type Stored = Record<string, unknown>;

/** How one event is stored. */
export type EventFormat<D> = Readonly<{
  /** Version that is written. */
  version: number;
  schema: Schema<D>;
  /** Brings the data of version N (key) to version N + 1. One entry for every older version ever written. */
  upcast?: Readonly<Record<number, (old: Stored) => Stored>>;
  /** Fields with personal data: decide and evolve never read them. */
  personal?: readonly (keyof D & string)[];
}>;

export type EventFormats<E extends AnyEvent> = Readonly<{
  [K in E['type']]: EventFormat<Extract<E, { type: K }>['data']>;
}>;

export type Codec<E extends AnyEvent> = Readonly<{
  category: string;
  formats: EventFormats<E>;
  /**
   * Version of the aggregate's state. A long stream repeats its whole state now and then (`snapshotType`); after a
   * change of the state's shape the old snapshots are of another version and are not read any more.
   */
  stateVersion: number;
  encode: (event: E) => Readonly<{ type: string; data: object }>;
  /** @throws UnknownEvent for a type that no codec version ever wrote */
  decode: (event: StoredEvent) => Recorded<E>;
}>;

export class UnknownEvent extends Error {
  override readonly name = 'UnknownEvent';
  constructor(event: Pick<StoredEvent, 'type' | 'stream' | 'revision'>) {
    super(`cannot read event type ${event.type} at ${event.stream}@${event.revision}`);
  }
}

const parseType = (stored: string): Readonly<{ name: string; version: number }> => {
  const dot = stored.lastIndexOf('.v');
  return { name: stored.slice(0, dot), version: Number(stored.slice(dot + 2)) };
};

/** The stored name of an event is data, not code: `<Fact>.v<version>`. */
export const defineCodec = <E extends AnyEvent>(definition: {
  category: string;
  stateVersion: number;
  events: EventFormats<E>;
}): Codec<E> => {
  const formats = definition.events as unknown as Readonly<Record<string, EventFormat<object> | undefined>>;
  /** Several followers of one process are given the same event. */
  const decoded = new WeakMap<StoredEvent, Recorded<E>>();
  const read = ({ type, data, ...meta }: StoredEvent): Recorded<E> => {
    const { name, version } = parseType(type);
    const format = formats[name];
    if (!format || !(version >= 1 && version <= format.version)) throw new UnknownEvent({ type, ...meta });
    let current = data as Stored;
    for (let v = version; v < format.version; v++) {
      const upcast = format.upcast?.[v];
      if (!upcast) throw new UnknownEvent({ type, ...meta });
      current = upcast(current);
    }
    return { type: name, data: format.schema.parse(current), meta } as unknown as Recorded<E>;
  };
  return {
    category: definition.category,
    formats: definition.events,
    stateVersion: definition.stateVersion,
    encode: (event) => ({ type: `${event.type}.v${formats[event.type]?.version}`, data: event.data }),
    decode: (event) => {
      const known = decoded.get(event);
      if (known) return known;
      const recorded = read(event);
      decoded.set(event, recorded);
      return recorded;
    },
  };
};

/** Stored type of the event that repeats an aggregate's whole state. */
export const snapshotType = (category: string, version: number): string => `${category}.snapshot.v${version}`;

export const isSnapshot = (type: string): boolean => type.includes('.snapshot.v');
