import { startVitest } from 'vitest/node';

/** Runs the suite against the server named by the argument, or against an embedded store without one. */
const url = process.argv.slice(2).find((argument) => argument !== '--');
if (url !== undefined) process.env['PRIVATELINK_EVENT_STORE'] = url;
const embeddedOnly = 'test/conformance/embedded/**';
const vitest = await startVitest('test', ['test/conformance'], {
  watch: false,
  exclude: ['**/node_modules/**', ...(url === undefined ? [] : [embeddedOnly])],
});
await vitest.close();
