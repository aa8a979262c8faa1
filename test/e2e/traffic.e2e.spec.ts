import { describe, it } from 'vitest';
import { expectSoundHistory } from '../support/invariants.ts';
import { useStage } from '../support/stage.ts';
import { hasNamespaces } from '../support/traffic/vpc-networks.ts';
import { closing, ending } from './traffic/closing.ts';
import { ZONES } from './traffic/connected.ts';
import { counting } from './traffic/counting.ts';
import { health } from './traffic/health.ts';
import { namespaces } from './traffic/namespaces.ts';
import { recovery } from './traffic/recovery.ts';
import { reverse } from './traffic/reverse.ts';

const env = { PRIVATELINK_ZONES: ZONES.join(','), PRIVATELINK_OTHER_REGIONS: '' };
/** A process that is killed on purpose needs no rest. */
const backOff = { firstMs: 50, longestMs: 200, forgivenAfterMs: 1_000 };

describe('traffic on the loopback network, with two agents for each zone', () => {
  const stage = useStage(async () => ({ forwarding: 'loopback', replicas: { 'data-plane': 2 }, env, backOff }));
  closing(stage);
  reverse(stage);
  recovery(stage);
  health(stage);
  counting(stage);
  ending(stage);
  it('leaves a sound history', () => expectSoundHistory(stage().log));
});

describe.skipIf(!hasNamespaces)('traffic in network namespaces (root on Linux)', () => {
  const stage = useStage(async () => ({ forwarding: 'namespaces', env: { ...env, PRIVATELINK_ZONES: ZONES[0] } }));
  namespaces(stage);
  it('leaves a sound history', () => expectSoundHistory(stage().log));
});
