// Stands in for a service in the supervisor's tests: it answers health checks and does what FIXTURE_* tell it.
import { appendFileSync } from 'node:fs';
import { serveHealth } from './serve-health.ts';

const instance = process.env['PRIVATELINK_INSTANCE'] ?? '';
const journal = process.env['FIXTURE_JOURNAL'];

function note(what: string): void {
  if (journal) appendFileSync(journal, `${instance} ${what}\n`);
}

function end(why: string): void {
  note(why);
  process.exit(0);
}

if (process.env['FIXTURE_FAILS'] === instance) {
  process.stdout.write(`${JSON.stringify({ level: 60, time: Date.now(), msg: 'PRIVATELINK_REGION is wrong' })}\n`);
  process.exit(78);
}
const stuck = process.env['FIXTURE_STUCK'] === instance;
process.on('SIGTERM', () => stuck || end('stopped'));
process.stdin.on('end', () => stuck || end('orphaned')).resume();

await serveHealth();
note('started');
process.stdout.write(`${JSON.stringify({ level: 30, time: Date.now(), msg: 'serving', instance })}\n`);
