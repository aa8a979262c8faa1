import { type EventData, KurrentDBClient, NO_STREAM } from '@kurrent/kurrentdb-client';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryDirectory } from '../support/directories.ts';
import { collect, newEvent, positionOf, readByPrefix, recorded } from '../support/events.ts';
import { startProcess } from '../support/process.ts';

const prefix = 'crash';
const writers = 32;
const acknowledgedPerRound = 600;

type Acknowledged = { readonly stream: string; readonly revision: number; readonly id: string };
type InFlight = { readonly stream: string; readonly event: EventData; readonly expected: number };

it('kill -9 while many write: every acknowledged event is there, none twice', async () => {
  const dataDir = await temporaryDirectory();
  const acknowledged: Acknowledged[] = [];

  for (let round = 0; round < 3; round++) {
    const store = await startProcess(dataDir);
    onTestFinished(() => store.stop('SIGKILL').then(() => {}));
    const client = KurrentDBClient.connectionString(store.url);
    const inFlight: InFlight[] = [];
    const until = acknowledged.length + acknowledgedPerRound;
    let killed: Promise<unknown> | undefined;

    const write = async (stream: string): Promise<void> => {
      for (let expected = -1; ; expected++) {
        const event = newEvent();
        try {
          await client.appendToStream(stream, event, { streamState: expected < 0 ? NO_STREAM : BigInt(expected) });
        } catch {
          inFlight.push({ stream, event, expected });
          return;
        }
        acknowledged.push({ stream, revision: expected + 1, id: event.id ?? '' });
        if (acknowledged.length === until) killed = store.stop('SIGKILL');
      }
    };
    await Promise.all(Array.from({ length: writers }, (_, i) => write(`${prefix}-${round}-${i}`)));
    await killed;
    await client.dispose();
    expect(inFlight).toHaveLength(writers);

    const reopened = await startProcess(dataDir);
    onTestFinished(() => reopened.stop('SIGKILL').then(() => {}));
    const reader = KurrentDBClient.connectionString(reopened.url);
    // What the crash left undecided is repeated with its original expectation: it is written once in the end.
    for (const { stream, event, expected } of inFlight) {
      const streamState = expected < 0 ? NO_STREAM : BigInt(expected);
      const { nextExpectedRevision } = await reader.appendToStream(stream, event, { streamState });
      expect(nextExpectedRevision).toBe(BigInt(expected + 1));
      acknowledged.push({ stream, revision: expected + 1, id: event.id ?? '' });
    }
    const events = await readByPrefix(reader, prefix);
    const found = events.map((event) => {
      const { streamId, revision, id } = recorded(event);
      return `${streamId}@${revision} ${id}`;
    });
    const wanted = acknowledged.map(({ stream, revision, id }) => `${stream}@${revision} ${id}`);
    expect(found.toSorted()).toEqual(wanted.toSorted());
    const positions = events.map(positionOf);
    expect(positions.every((position, i) => i === 0 || position > (positions[i - 1] ?? 0n))).toBe(true);
    expect(await collect(reader.readStream(`${prefix}-${round}-0`))).not.toHaveLength(0);
    await reader.dispose();
    expect(await reopened.stop('SIGTERM')).toMatchObject({ code: 0 });
  }
});
