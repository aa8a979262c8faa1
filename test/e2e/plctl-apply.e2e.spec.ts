import { afterAll, beforeAll, describe } from 'vitest';
import { useStage } from '../support/stage.ts';
import { everyday } from './plctl-apply/everyday.ts';
import { openTool, type Tool } from './plctl-apply/files.ts';
import { kinds } from './plctl-apply/kinds.ts';

const stage = useStage();
let opened: Tool | undefined;
beforeAll(async () => {
  opened = await openTool(stage);
});
afterAll(() => opened?.close());

const tool = (): Tool => {
  if (!opened) throw new Error('plctl has no files yet');
  return opened;
};

// Each call is a process of its own, which has to start first.
describe('plctl apply', { timeout: 240_000 }, () => everyday(tool));
describe('what plctl apply declares', { timeout: 240_000 }, () => kinds(tool));
