import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requestFrom, serveIn } from '../testing/in-namespace.ts';
import { forwardTo, openStage, type Stage } from './engine.test-support.ts';
import type { Target } from './forward.ts';

const possible = process.platform === 'linux' && process.getuid?.() === 0;

const ip = (...args: readonly string[]): string => execFileSync('ip', args, { encoding: 'utf8', stdio: 'pipe' });

describe.skipIf(!possible)('network namespaces (needs root on Linux)', () => {
  let stage: Stage;
  let count = 0;
  const made = new Set<string>();
  const create = (namespace = `vpc-test-${process.pid}-${count++}`): string => {
    ip('netns', 'add', namespace);
    made.add(namespace);
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
    ip('-n', namespace, 'address', 'add', '10.7.0.5/32', 'dev', 'lo');
    return namespace;
  };
  const remove = (namespace: string) => {
    ip('netns', 'del', namespace);
    made.delete(namespace);
  };
  const stops: (() => unknown)[] = [];
  const serve = async (name: string): Promise<Target> => {
    const server = createServer((_, response) => response.end(name)).listen(0, '127.0.0.1');
    stops.push(() => server.close());
    await once(server, 'listening');
    const address = server.address();
    return { ip: '127.0.0.1', port: address && typeof address === 'object' ? address.port : 0 };
  };
  const bindIn = (namespace: string) => ({ host: '10.7.0.5', port: 8080, namespace });

  beforeEach(() => {
    stage = openStage();
  });
  afterEach(async () => {
    await stage.close();
    for (const stop of stops.splice(0)) await stop();
    for (const namespace of made) remove(namespace);
  });

  it('has the same address twice', async () => {
    const [one, two] = [create(), create()];
    const engine = stage.engine();
    const forwards = [
      forwardTo('ep-1', [bindIn(one)], [await serve('first')]),
      forwardTo('ep-2', [bindIn(two)], [await serve('second')]),
    ];
    expect(await engine.apply(forwards)).toEqual({ refused: [] });
    expect(await requestFrom(one, '10.7.0.5', 8080)).toBe('first');
    expect(await requestFrom(two, '10.7.0.5', 8080)).toBe('second');
    await engine.apply(forwards.slice(1));
    expect(await requestFrom(one, '10.7.0.5', 8080)).toBe('ECONNREFUSED');
    expect(await requestFrom(two, '10.7.0.5', 8080)).toBe('second');
  });

  it('dials targets in the namespace of the forward', async () => {
    const [consumer, provider] = [create(), create()];
    const target = await serveIn(provider, '10.7.0.5', 'reached');
    stops.push(target.stop);
    const forward = forwardTo('ep-1', [bindIn(consumer)], [target], { targetNamespace: provider });
    expect(await stage.engine().apply([forward])).toEqual({ refused: [] });
    expect(await requestFrom(consumer, '10.7.0.5', 8080)).toBe('reached');
  });

  it('refuses what needs one that is missing until it is there, and does the others', async () => {
    const present = create();
    const absent = `${present}-absent`;
    const engine = stage.engine();
    const target = await serve('a');
    const forwards = [
      forwardTo('ep-1', [bindIn(present)], [target]),
      forwardTo('ep-2', [bindIn(absent)], [target]),
      forwardTo('ep-3', [{ ...bindIn(present), port: 8081 }], [target], { targetNamespace: absent }),
    ];
    const { refused } = await engine.apply(forwards);
    expect(refused.map(({ connectionId, reason }) => [connectionId, reason])).toEqual([
      ['ep-2', `there is no namespace ${absent}`],
      ['ep-3', `there is no namespace ${absent}`],
    ]);
    expect(await requestFrom(present, '10.7.0.5', 8080)).toBe('a');
    create(absent);
    expect(await engine.apply(forwards)).toEqual({ refused: [] });
    expect(await requestFrom(absent, '10.7.0.5', 8080)).toBe('a');
  });

  it('refuses an address that is not there', async () => {
    const namespace = create();
    const bind = { host: '10.7.0.99', port: 8080, namespace };
    const { refused } = await stage.engine().apply([forwardTo('ep-1', [bind], [])]);
    expect(refused).toMatchObject([{ reason: `10.7.0.99:8080 in ${namespace}: Cannot assign requested address` }]);
  });

  it('listens in one that was made anew under the same name', async () => {
    const [name, other] = [create(), create()];
    const engine = stage.engine();
    const target = await serve('a');
    const forwards = [forwardTo('ep-1', [bindIn(name)], [target]), forwardTo('ep-2', [bindIn(other)], [target])];
    await engine.apply(forwards);
    remove(name);
    create(name);
    expect(await requestFrom(name, '10.7.0.5', 8080)).toBe('ECONNREFUSED');
    expect(await engine.apply(forwards)).toEqual({ refused: [] });
    expect(await requestFrom(name, '10.7.0.5', 8080)).toBe('a');
    expect(await requestFrom(other, '10.7.0.5', 8080)).toBe('a');
    const before = await stage.processes();
    await engine.apply(forwards);
    expect(await stage.processes()).toEqual(before);
  });
});
