import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@privatelink/shared/runtime/clock';
import { createLog } from '@privatelink/shared/runtime/log';
import { createEngine } from '../../../services/data-plane/src/haproxy/engine.ts';
import { isMissing } from './secrets.ts';
import { agentName } from './service-names.ts';

const log = createLog({ service: 'supervisor', instance: 'supervisor', level: 'error' });

/**
 * Ends every HAProxy of a data directory, except in zones whose agents take it over: one outlives an agent that is
 * killed. What cannot be ended is told, and is in nobody's way.
 */
export async function endForwarding(
  dataDir: string,
  options: { readonly exceptIn?: readonly string[]; readonly onNotice: (text: string) => void },
): Promise<void> {
  const { exceptIn = [], onNotice } = options;
  const directory = join(dataDir, agentName);
  const zones = await readdir(directory).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  const end = async (zone: string): Promise<void> => {
    try {
      await createEngine({ binary: 'haproxy', dir: join(directory, zone), log, clock: systemClock }).stop();
    } catch (error) {
      onNotice(`the HAProxy of ${zone} cannot be ended: ${String(error)}`);
    }
  };
  await Promise.all(zones.filter((zone) => !exceptIn.includes(zone)).map(end));
}
