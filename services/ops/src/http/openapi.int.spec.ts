import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStage, type Stage } from '../testing/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

it('what the API says of itself is what is committed (`vitest run ... --update` writes it)', async () => {
  const served = await (await fetch(`${stage.origin()}/api/openapi.json`)).json();
  const file = fileURLToPath(new URL('../../openapi.json', import.meta.url));
  await expect(`${JSON.stringify(served, null, 2)}\n`).toMatchFileSnapshot(file);
});
