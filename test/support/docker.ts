import { setTimeout as delay } from 'node:timers/promises';
import { getContainerRuntimeClient } from 'testcontainers';
import { describe } from 'vitest';

const PATIENCE_MS = 5_000;

/** Whether containers can be run here; asked once. */
const dockerAvailable = await Promise.race([
  getContainerRuntimeClient().then(
    () => true,
    () => false,
  ),
  delay(PATIENCE_MS, false, { ref: false }),
]);

/** A suite that needs a Docker engine; where there is none its name says why it is skipped, and so does a warning. */
export const describeWithDocker = (name: string, suite: () => void): void => {
  const title = dockerAvailable ? name : `${name} (skipped: no Docker engine)`;
  if (!dockerAvailable) console.warn(title);
  describe.skipIf(!dockerAvailable)(title, suite);
};
