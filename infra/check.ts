// Everything that can be said about the code without running it. All checks run, also after one has failed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const proto = join(root, 'proto');
const baseline = join(proto, 'breaking-baseline.binpb');
const scratch = mkdtempSync(join(tmpdir(), 'privatelink-check-'));

type Command = readonly [program: string, ...args: string[]];

/** Passes when all of its commands do; the first one that does not is the last to run. */
type Check = { readonly name: string; readonly cwd: string; readonly commands: readonly Command[] };

const checks: readonly Check[] = [
  { name: 'format and lint', cwd: root, commands: [['biome', 'check', '--error-on-warnings']] },
  {
    name: 'types',
    cwd: root,
    commands: [
      ['tsc', '--noEmit', '-p', 'tsconfig.json'],
      // With what Node 20 has; packing does not check it again.
      ['tsc', '--noEmit', '-p', 'proto/client/tsconfig.json'],
      ['tsc', '--noEmit', '-p', 'services/ops/web/tsconfig.json'],
    ],
  },
  {
    name: 'import boundaries',
    cwd: root,
    commands: [['depcruise', '--config', '.dependency-cruiser.cjs', 'services', 'infra', 'proto', 'test']],
  },
  { name: 'dead code', cwd: root, commands: [['knip']] },
  { name: 'contract: lint', cwd: proto, commands: [['buf', 'lint']] },
  ...(existsSync(baseline)
    ? [
        {
          name: 'contract: nothing breaks',
          cwd: proto,
          commands: [['buf', 'breaking', '.', '--against', baseline, '--path', 'privatelink']] satisfies Command[],
        },
      ]
    : []),
  {
    name: 'contract: generated code is current',
    cwd: proto,
    commands: [
      ['buf', 'generate', '--output', scratch],
      ['diff', '-r', join(scratch, 'gen'), 'gen'],
      ['buf', 'build', '--as-file-descriptor-set', '--output', join(scratch, 'image.binpb')],
      ['cmp', join(scratch, 'image.binpb'), 'image.binpb'],
    ],
  },
];

function passes({ name, cwd, commands }: Check): boolean {
  process.stdout.write(`\n== ${name}\n`);
  return commands.every(([program, ...args]) => {
    const { status, error } = spawnSync(program, args, { cwd, stdio: 'inherit', env });
    if (error) process.stdout.write(`${error.message}\n`);
    return status === 0;
  });
}

const env = { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}:${process.env['PATH']}` };
const failed = checks.filter((check) => !passes(check)).map(({ name }) => name);
rmSync(scratch, { recursive: true });

process.stdout.write(failed.length > 0 ? `\nfailed: ${failed.join(', ')}\n` : '\n');
process.stdout.write(`${checks.length - failed.length} passed, ${failed.length} failed\n`);
process.exitCode = failed.length > 0 ? 1 : 0;
