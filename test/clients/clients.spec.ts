import { describe } from 'vitest';
import { useStage } from '../support/stage.ts';
import { examples } from './examples.ts';
import { keptWaiting } from './kept-waiting.ts';
import { packed } from './packed.ts';

const stage = useStage();

describe('the packed client, in a project outside of the workspace', () => packed(stage));
describe('the examples', () => examples(stage));
describe('waitFor', () => keptWaiting(stage));
