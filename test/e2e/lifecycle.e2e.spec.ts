import { describe, it } from 'vitest';
import { expectSoundHistory } from '../support/invariants.ts';
import { useStage } from '../support/stage.ts';
import { acceptance } from './lifecycle/acceptance.ts';
import { addresses } from './lifecycle/addresses.ts';
import { billing } from './lifecycle/billing.ts';
import { dryRuns } from './lifecycle/dry-runs.ts';
import { operations } from './lifecycle/operations.ts';
import { requests } from './lifecycle/requests.ts';
import { resources } from './lifecycle/resources.ts';
import { services } from './lifecycle/services.ts';
import { views } from './lifecycle/views.ts';

const stage = useStage();

describe('acceptance', () => acceptance(stage));
describe('services', () => services(stage));
describe('resources', () => resources(stage));
describe('billing', () => billing(stage));
describe('addresses and names', () => addresses(stage));
describe('a dry run', () => dryRuns(stage));
describe('operators', () => operations(stage));
describe('requests', () => requests(stage));
describe('what each side sees', () => views(stage));

it('leaves a sound history', () => expectSoundHistory(stage().log));
