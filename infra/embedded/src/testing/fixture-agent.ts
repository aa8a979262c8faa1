// Stands in for a zone agent where HAProxy matters: it takes over or starts one that forwards nothing.
import { systemClock } from '@privatelink/shared/runtime/clock';
import { createLog } from '@privatelink/shared/runtime/log';
import { createEngine } from '../../../../services/data-plane/src/haproxy/engine.ts';
import { serveHealth } from './serve-health.ts';

const instance = process.env['PRIVATELINK_INSTANCE'] ?? '';
const engine = createEngine({
  binary: 'haproxy',
  dir: process.env['PRIVATELINK_AGENT_DIR'] ?? '',
  log: createLog({ service: 'data-plane', instance, level: 'info' }),
  clock: systemClock,
});
await engine.apply([]);

const stuck = process.env['FIXTURE_STUCK'] === instance;
const stop = (): void => void (stuck || engine.stop().then(() => process.exit(0)));
process.on('SIGTERM', stop);
process.stdin.on('end', stop).resume();

await serveHealth();
