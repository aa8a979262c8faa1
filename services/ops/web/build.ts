// Builds the pages into a directory: node services/ops/web/build.ts DIRECTORY
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { build } from 'vite';

const [outDir] = process.argv.slice(2);
if (outDir === undefined) throw new Error('usage: node services/ops/web/build.ts DIRECTORY');

// Whoever starts the build may be a test; the pages are for users all the same.
process.env['NODE_ENV'] = 'production';
await build({
  root: fileURLToPath(new URL('.', import.meta.url)),
  configFile: false,
  logLevel: 'warn',
  plugins: [react()],
  build: {
    outDir: resolve(outDir),
    emptyOutDir: true,
    target: 'es2022',
    // Styles and scripts within the page are what its content security policy forbids.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1_500,
  },
});
