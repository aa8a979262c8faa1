import { afterAll, afterEach, describe, it } from 'vitest';
import { type Failpoints, openFailpoints } from '../support/failpoint-files.ts';
import { expectSoundHistory } from '../support/invariants.ts';
import { useStage } from '../support/stage.ts';
import { admission } from './races/admission.ts';
import { closing } from './races/closing.ts';
import { creation } from './races/creation.ts';
import { facts } from './races/facts.ts';
import { firstContact } from './races/first-contact.ts';
import { placing } from './races/placing.ts';
import { MAX_USERS, quotas } from './races/quotas.ts';
import { serviceCreation } from './races/service-creation.ts';

const HELD = [
  'createEndpointService:after-claim',
  'serviceClaimCleanup:before-fence',
  'createEndpoint:after-admission',
  'createEndpoint:after-reservation',
  'reservationCleanup:before-fence',
  'admissionCleanup:before-asking',
  'provider:after-admission',
  'endpointService:after-append',
  'connection:after-append',
  'facts:after-append',
  'fanOut:after-append',
  'connecting:before-report',
  'placing:after-claim',
];

let failpoints: Failpoints | undefined;
const stage = useStage(async () => {
  failpoints = await openFailpoints({ hold: HELD });
  return {
    env: { ...failpoints.env, PRIVATELINK_SETTLE_AFTER_MS: '3000', PRIVATELINK_QUOTA_SERVICE_USERS: `${MAX_USERS}` },
  };
});
// A test that fails must not hold the next one.
afterEach(() => failpoints?.releaseAll());
afterAll(() => failpoints?.close());

const race = () => {
  if (!failpoints) throw new Error('the world is not started yet');
  return { ...stage(), hold: failpoints.hold };
};
/** A test's world, with failpoints to hold one side at. */
export type Race = ReturnType<typeof race>;

describe('creating an endpoint, and giving back what was claimed for it', () => creation(race));
describe('creating a service, and giving back what was claimed for it', () => serviceCreation(race));
describe('admitting an endpoint, and changing the service', () => admission(race));
describe('connecting, and what becomes known meanwhile', () => facts(race));
describe('refusals that depend on connections', () => closing(race));
describe('putting a zone on another resource', () => placing(race));
describe('quotas', () => quotas(race));
describe('first contact', () => firstContact(race));

it('leaves a sound history', () => expectSoundHistory(stage().log));
