import { PolicyDecision } from '@privatelink/proto/consumer/v1/consumer_service';
import {
  createEndpoint,
  endpointRequest,
  openActor,
  publishService,
  refusalOf,
  registerNetwork,
} from '../support/scenario.ts';
import { CALL, requestId } from '../support/world.ts';
import { expectEqual, type Stage, type Story } from './story.ts';

const READ = { action: 'oss:GetObject', principal: 'acs:ram::2000000000000002:user/carl' };
const LOGS = 'acs:oss:*:*:logs/today';
const SALARIES = 'acs:oss:*:*:salaries/all';

const ONLY_LOGS = {
  Version: '1',
  Statement: [
    { Effect: 'Allow', Action: 'oss:Get*', Resource: ['acs:oss:*:*:logs/*', 'acs:oss:*:*:salaries/*'] },
    { Effect: 'Deny', Action: '*', Resource: 'acs:oss:*:*:salaries/*' },
  ],
};

/** What a consumer lets through its endpoint, and what the service is told when it asks. */
export const policy: Story = {
  name: 'policy',
  about: "what an endpoint's policy allows: everything, then what it says, then everything again",
  forwarding: 'loopback',
  play: async ({ run, feed, narrator, use }: Stage) => {
    const { act } = narrator;
    const provider = use(await openActor(run, 'provider'));
    const consumer = use(await openActor(run, 'consumer'));
    let endpointId = '';

    const change = async (what: string, text: string) => {
      act(`consumer ${what}`);
      const { endpoint } = await consumer.consumer.setEndpointPolicy(
        { requestId: requestId(), endpointId, policy: text },
        CALL,
      );
      return endpoint?.policy ?? '';
    };
    /** The platform service asks; the data plane looks at no request. */
    const asked = async (what: string, resource: string, expected: PolicyDecision) => {
      const { decision } = await provider.consumer.evaluatePolicy({ endpointId, resource, context: {}, ...READ }, CALL);
      expectEqual(`whether ${what} may be read`, decision, expected);
      narrator.checked(`service asks about ${READ.action} of ${what}: ${decision}`);
    };

    narrator.title('Without a policy everything is allowed');
    const service = await publishService(provider, feed, { autoAccept: true, users: [consumer.account] });
    const network = await registerNetwork(consumer);
    ({ endpointId } = await createEndpoint(consumer, endpointRequest(service, network)));
    await feed.records('endpoint', endpointId, 'EndpointActivated');
    await asked('the logs', LOGS, PolicyDecision.ALLOWED);
    await asked('the salaries', SALARIES, PolicyDecision.ALLOWED);

    narrator.title('An explicit denial beats what allows; what is not named is denied');
    const text = JSON.stringify(ONLY_LOGS);
    const kept = await change('allows logs and salaries, and denies the salaries', text);
    await asked('the logs', LOGS, PolicyDecision.ALLOWED);
    await asked('the salaries', SALARIES, PolicyDecision.EXPLICITLY_DENIED);
    await asked('the minutes', 'acs:oss:*:*:minutes/1', PolicyDecision.DENIED_BY_DEFAULT);

    narrator.title('What is no policy changes nothing');
    const wrong = text.replace('"Deny"', '"Perhaps"');
    const refusal = await refusalOf(change('gives a policy whose effect is Perhaps', wrong));
    const [field] = refusal.violations.map((violation) => violation.field);
    expectEqual('what is wrong', field, 'policy.Statement[1].Effect');
    narrator.checked(`refused at ${field}`);
    const { endpoint } = await consumer.consumer.getEndpoint({ endpointId }, CALL);
    expectEqual('the policy', endpoint?.policy, kept);

    narrator.title('Reset, everything is allowed again');
    expectEqual('the policy', await change('resets the policy', ''), '');
    await asked('the salaries', SALARIES, PolicyDecision.ALLOWED);
  },
};
