import { defineConfig } from 'vitest/config';

/** Specs that bring up a whole system: one at a time, and after all others, so that nobody waits for the machine. */
const systems = [
  'infra/embedded/src/system.spec.ts',
  'test/{access,clients,containers,demo,e2e}/**/*.spec.ts',
  'test/contract/bad-input.spec.ts',
];

/** What a browser makes of the dashboard has a configuration of its own: `npm run test:ui`. */
const pages = 'test/ui/**/*.spec.ts';

const common = { exclude: ['**/node_modules/**'], testTimeout: 60_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    // For .ci/run, which tries once more what failed.
    reporters: process.env['CI']
      ? ['default', ['json', { outputFile: 'node_modules/.cache/privatelink/tests.json' }]]
      : ['default'],
    projects: [
      {
        test: {
          ...common,
          name: 'parts',
          include: ['{services,infra,test,proto}/**/*.spec.ts'],
          exclude: [...common.exclude, ...systems, pages],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...common,
          name: 'systems',
          include: systems,
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
