import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type Codec, UnknownEvent } from '../eventing/codec.ts';
import { type Decider, evolveAll } from '../eventing/decider.ts';
import type { AnyCommand, AnyEvent, StoredEvent } from '../eventing/message.ts';

type Sample = Readonly<{ type: string; data: Record<string, unknown> }>;

type Samples<S> = Readonly<{
  /** A whole history: one event at least of every type and version that was ever written. */
  events: readonly Sample[];
  /** State version → what the first `after` events lead to. */
  states: Readonly<Record<string, Readonly<{ after: number; state: S }>>>;
}>;

const stored = (sample: Sample): StoredEvent => ({
  ...sample,
  id: '',
  metadata: {},
  stream: 'sample-1',
  revision: 0n,
  position: 0n,
  recordedAt: '',
});

/** What is stored stays readable: the frozen samples of one aggregate, which are added to and never edited. */
export const codecSpec = <C extends AnyCommand, E extends AnyEvent, S>(
  decider: Decider<C, E, S>,
  codec: Codec<E>,
  file: URL,
): void => {
  const { events, states } = JSON.parse(readFileSync(file, 'utf8')) as Samples<S>;
  const formats = Object.entries<Codec<E>['formats'][E['type']]>(codec.formats);

  it('belongs to its decider', () => {
    expect(codec.category).toBe(decider.category);
    expect(codec.category).toMatch(/^[a-z][A-Za-z]*$/);
  });

  it('has a sample of every type and version', () => {
    const all = formats.flatMap(([name, { version }]) =>
      Array.from({ length: version }, (_, index) => `${name}.v${index + 1}`),
    );
    expect([...new Set(events.map((sample) => sample.type))].sort()).toEqual(all.sort());
  });

  it.each(events.map((sample, index) => ({ index, sample })))('reads $sample.type, sample $index', ({ sample }) => {
    const event = codec.decode(stored(sample));
    const written = codec.encode(event);
    const isCurrent = written.type === sample.type;
    if (isCurrent) expect(written.data).toEqual(sample.data);
    expect(codec.decode(stored(written as Sample))).toEqual(event);
  });

  it.each(formats)('refuses %s with a field missing', (name, { version }) => {
    const sample = events.find(({ type }) => type === `${name}.v${version}`);
    for (const field of Object.keys(sample?.data ?? {})) {
      const { [field]: _missing, ...data } = sample?.data ?? {};
      expect(() => codec.decode(stored({ type: `${name}.v${version}`, data })), field).toThrow();
    }
  });

  it('marks what is personal', () => {
    const found = formats.flatMap(([name, { version }]) => {
      const sample = events.find(({ type }) => type === `${name}.v${version}`);
      return Object.keys(sample?.data ?? {})
        .filter((field) => ['actor', 'message', 'description', 'tags', 'name'].includes(field))
        .map((field) => `${name}.${field}`);
    });
    const marked = formats.flatMap(([name, { personal }]) => (personal ?? []).map((field) => `${name}.${field}`));
    expect(marked.sort()).toEqual(found.sort());
  });

  it('refuses what no version ever wrote', () => {
    const [name, { version }] = formats[0] ?? ['', { version: 0 }];
    for (const type of [name, `${name}.v0`, `${name}.v${version + 1}`, 'Unheard.v1', '']) {
      expect(() => codec.decode(stored({ type, data: {} })), type).toThrow(UnknownEvent);
    }
  });

  it('keeps the shape of its state, or else counts the version of the state', () => {
    const frozen = states[codec.stateVersion];
    expect(frozen, `a state of version ${codec.stateVersion}`).toBeDefined();
    const history = events.slice(0, frozen?.after).map((sample) => codec.decode(stored(sample)));
    const state = evolveAll(decider, decider.initial, history as readonly E[]);
    expect(state).toStrictEqual(frozen?.state);
  });
};
