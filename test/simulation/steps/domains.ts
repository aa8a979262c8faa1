import { txtRecordName } from '../../../services/provider/src/api/domain-name.ts';
import { type KnownService, onSome, provider, type StepContext } from './step.ts';

/** Few, so that two services want the same, and one is more specific than another. */
const DOMAINS = ['db.example.com', '*.example.com', 'example.org'] as const;

type DomainRpc = 'declareCustomDomain' | 'verifyCustomDomain' | 'removeCustomDomain';

const ask = ({ account, serviceId }: KnownService, domainName: string, rpc: DomainRpc, context: StepContext) => {
  const request = { requestId: context.requestId(), serviceId, domainName };
  return context.client.ask(provider(account), 'provider', rpc, request);
};

/** Declares a name, mostly with its proof in DNS. Of two services that want the same proof, the last has it. */
const declare = async (service: KnownService, domainName: string, context: StepContext): Promise<void> => {
  const reply = await ask(service, domainName, 'declareCustomDomain', context);
  const declared = reply?.endpointService?.customDomains.find((one) => one.domainName === domainName);
  if (declared && context.random.chance(0.8)) context.txt.set(declared.txtRecordName, declared.token);
};

export const declareCustomDomain = onSome('services', (service, context) =>
  declare(service, context.random.pick(DOMAINS), context),
);

export const offerCustomDomain = onSome('services', async (service, context) => {
  const domainName = context.random.pick(DOMAINS);
  await declare(service, domainName, context);
  await ask(service, domainName, 'verifyCustomDomain', context);
});

export const verifyCustomDomain = onSome('services', (service, context) =>
  ask(service, context.random.pick(DOMAINS), 'verifyCustomDomain', context),
);

/** Verified or not, whoever looks for the proof again does not find it. */
export const removeProof = onSome('services', async (_service, { random, txt }) =>
  txt.set(txtRecordName(random.pick(DOMAINS)), null),
);

export const removeCustomDomain = onSome('services', (service, context) =>
  ask(service, context.random.pick(DOMAINS), 'removeCustomDomain', context),
);
