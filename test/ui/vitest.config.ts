import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The same specs as in `npm test`, with as many connections as a page of some use has to show. */
const connections = process.env['PRIVATELINK_UI_CONNECTIONS'] ?? '10000';

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/ui/**/*.spec.ts'],
    env: { PRIVATELINK_UI_CONNECTIONS: connections },
    testTimeout: 120_000,
    hookTimeout: 900_000,
    fileParallelism: false,
  },
});
