import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';

const lifecycle = new URL('./lifecycle.ts', import.meta.url);
const startupError = new URL('./startup-error.ts', import.meta.url);

type Ended = Readonly<{ code: number | null; out: string; err: string }>;

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** Runs a service whose `start` has this body, in a process of its own. */
const run = (body: string, env: Record<string, string> = {}) => {
  const source = `
    import { runService } from '${lifecycle}';
    import { StartupError } from '${startupError}';
    await runService('probe', async (service) => { ${body} });
    const keepAlive = setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', source], {
    env: { ...process.env, ...env },
    stdio: 'pipe',
  });
  children.push(child);
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  const ended = Promise.all([once(child, 'close'), text(child.stderr)]).then(
    ([[code], err]): Ended => ({ code, out, err }),
  );
  const said = (word: string) => expect.poll(() => out, { timeout: 10_000 }).toContain(word);
  return { child, ended, said };
};

const steps = `
  service.onStop(() => { console.log('first'); });
  service.onStop(async () => { console.log('second', service.signal.aborted); });
`;

describe('a service', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('stops on %s, the latest part first', async (signal) => {
    const { child, ended, said } = run(steps);
    await said('started');
    child.kill(signal);
    const { code, out } = await ended;
    expect(code).toBe(0);
    expect(out).toMatch(/second true\nfirst\n/);
    expect(out).toContain('"msg":"stopped"');
  });

  it('stops when its parent is gone', async () => {
    const { child, ended, said } = run(steps, { PRIVATELINK_PARENT_PIPE: '1' });
    await said('started');
    child.stdin?.destroy();
    expect(await ended).toMatchObject({ code: 0, out: expect.stringContaining('first') });
  });

  it('says a known reason in one line', async () => {
    const { ended } = run(`${steps} throw new StartupError('the port is taken');`);
    const { code, out, err } = await ended;
    expect(code).toBe(1);
    expect(err).toBe('probe: the port is taken\n');
    expect(out).toContain('first');
    const configured = run(`throw new StartupError('bad', { exitCode: 78 });`);
    expect(await configured.ended).toMatchObject({ code: 78, err: 'probe: bad\n' });
  });

  it.each([
    ['an error at start', `${steps} throw new Error('broken');`],
    ['a part that fails', `${steps} setImmediate(() => service.fail(new Error('broken')));`],
    ['an unhandled rejection', `${steps} setImmediate(() => Promise.reject(new Error('broken')));`],
    ['an uncaught exception', `${steps} setImmediate(() => { throw new Error('broken'); });`],
  ])('ends with code 1 after %s', async (_, body) => {
    const { code, out } = await run(body).ended;
    expect(code).toBe(1);
    expect(out).toMatch(/"level":"fatal".*broken/);
    expect(out).toContain('first');
  });

  it('stops on although a step of it fails, and says so', async () => {
    const { child, ended, said } = run(`${steps} service.onStop(() => { throw new Error('stuck'); });`);
    await said('started');
    child.kill('SIGTERM');
    const { code, out } = await ended;
    expect(code).toBe(1);
    expect(out).toMatch(/stuck[\s\S]*first/);
  });

  it('is ended when it does not stop in time', async () => {
    const { child, ended, said } = run(`service.onStop(() => new Promise(() => {}));`);
    await said('started');
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 1, out: expect.stringContaining('did not stop in time') });
  }, 20_000);
});
