import { connect } from '@nats-io/transport-node';
import { BusinessStatus, Payer } from '@privatelink/proto/common/v1/common';
import { expect, it } from 'vitest';
import { typeOf } from '../../support/event-log.ts';
import { holdsOf } from '../../support/follow-connection.ts';
import {
  createEndpoint,
  endpointRequest,
  publishService,
  refusalOf,
  registerNetwork,
  reportPayment,
} from '../../support/scenario.ts';
import type { Stage } from '../../support/stage.ts';
import { CALL, requestId } from '../../support/world.ts';

const CASES = [
  { payer: Payer.ENDPOINT, payingSide: 'consumer', hold: 'ENDPOINT_PAYMENT_OVERDUE' },
  { payer: Payer.ENDPOINT_SERVICE, payingSide: 'provider', hold: 'SERVICE_PAYMENT_OVERDUE' },
] as const;

export const billing = (stage: () => Stage): void => {
  it.each(CASES)('of an account acts on what it pays for: payer $payer', async ({ payer, payingSide, hold }) => {
    const { log, follow } = stage();
    const cast = await stage().cast();
    const { provider, consumer } = cast;
    const users = [consumer.account];
    const options = { autoAccept: true, users };
    const paid = await publishService(provider, log, { ...options, payer });
    const otherPayer = payer === Payer.ENDPOINT ? Payer.ENDPOINT_SERVICE : Payer.ENDPOINT;
    const unpaid = await publishService(provider, log, { ...options, payer: otherPayer });
    const network = await registerNetwork(consumer);
    const concerned = await createEndpoint(consumer, endpointRequest(paid, network));
    const unconcerned = await createEndpoint(consumer, endpointRequest(unpaid, network));
    const connection = follow(consumer, concerned.endpointId);
    await connection.reaches('CONNECTED');
    await log.records('connection', unconcerned.endpointId, 'ConnectionEstablished');

    const { account } = cast[payingSide];
    await reportPayment(cast.billing, 'overdue', account);
    expect(holdsOf(await connection.reaches('DISCONNECTED'))).toEqual([hold]);
    await log.records('fanOut', account, 'FanOutCompleted');
    const other = await consumer.broker.getConnection({ connectionId: unconcerned.endpointId }, CALL);
    expect([other.connection?.status, holdsOf(other.connection)]).toEqual(['CONNECTION_STATUS_CONNECTED', []]);

    const meanwhile = await createEndpoint(consumer, endpointRequest(paid, network));
    const created = follow(consumer, meanwhile.endpointId);
    expect(holdsOf(await created.reaches('DISCONNECTED'))).toEqual([hold]);
    expect(log.of('connection', meanwhile.endpointId).map(typeOf)).not.toContain('ConnectionEstablished');

    await reportPayment(cast.billing, 'settled', account);
    await Promise.all([connection.reaches('CONNECTED'), created.reaches('CONNECTED')]);
  });

  it('locks what it is about, until it is settled', async () => {
    const { cast, log } = stage();
    const { provider, consumer, billing: reporter } = await cast();
    const service = await publishService(provider, log, { autoAccept: true, users: [consumer.account] });
    const { serviceId } = service;
    const { endpointId } = await createEndpoint(consumer, endpointRequest(service, await registerNetwork(consumer)));
    await log.records('endpoint', endpointId, 'EndpointActivated');
    const describe = {
      service: (description: string) =>
        provider.provider.updateEndpointService(
          { requestId: requestId(), serviceId, description, tags: undefined },
          CALL,
        ),
      endpoint: (description: string) =>
        consumer.consumer.updateEndpoint({ requestId: requestId(), endpointId, description, tags: undefined }, CALL),
    };
    await reportPayment(reporter, 'overdue', serviceId);
    await reportPayment(reporter, 'overdue', endpointId);
    await log.records('endpointService', serviceId, 'FinancialLockPlaced');
    await log.records('endpoint', endpointId, 'FinancialLockPlaced');
    const shown = async () => [
      (await provider.provider.getEndpointService({ serviceId }, CALL)).endpointService?.businessStatus,
      (await consumer.consumer.getEndpoint({ endpointId }, CALL)).endpoint?.businessStatus,
    ];
    expect(await shown()).toEqual([BusinessStatus.FINANCIAL_LOCKED, BusinessStatus.FINANCIAL_LOCKED]);
    expect((await refusalOf(describe.service('locked'))).reason).toBe('SERVICE_LOCKED');
    expect((await refusalOf(describe.endpoint('locked'))).reason).toBe('ENDPOINT_LOCKED');

    await reportPayment(reporter, 'settled', serviceId);
    await reportPayment(reporter, 'settled', endpointId);
    await log.records('endpointService', serviceId, 'FinancialLockLifted');
    await log.records('endpoint', endpointId, 'FinancialLockLifted');
    expect(await shown()).toEqual([BusinessStatus.NORMAL, BusinessStatus.NORMAL]);
    await describe.service('paid');
    await describe.endpoint('paid');
  });

  it('locks the services that an account pays for, also those that it creates meanwhile', async () => {
    const { cast, log } = stage();
    const { provider, billing: reporter } = await cast();
    const payer = Payer.ENDPOINT_SERVICE;
    const before = await publishService(provider, log, { autoAccept: true, users: [], payer });
    await reportPayment(reporter, 'overdue', provider.account);
    await log.records('endpointService', before.serviceId, 'FinancialLockPlaced');
    const meanwhile = await publishService(provider, log, { autoAccept: true, users: [], payer });
    await log.records('endpointService', meanwhile.serviceId, 'FinancialLockPlaced');
    await reportPayment(reporter, 'settled', provider.account);
    await log.records('endpointService', before.serviceId, 'FinancialLockLifted');
    await log.records('endpointService', meanwhile.serviceId, 'FinancialLockLifted');
  });

  it('comes by NATS too, and what cannot be read there does no harm', async () => {
    const { cast, log, follow, run } = stage();
    const { provider, consumer } = await cast();
    const service = await publishService(provider, log, { autoAccept: true, users: [consumer.account] });
    const { endpointId } = await createEndpoint(consumer, endpointRequest(service, await registerNetwork(consumer)));
    const connection = follow(consumer, endpointId);
    await connection.reaches('CONNECTED');
    const { user, password, inboxPrefix } = run.nats.billing ?? { user: '', password: '', inboxPrefix: '' };
    const nats = await connect({ servers: new URL(run.nats.url).host, user, pass: password, inboxPrefix });
    const say = (subject: string, report: object) => nats.request(subject, JSON.stringify(report));
    await say(`billing.v1.${consumer.account}.overdue`, { source: 'erp' });
    await say(`billing.v1.${consumer.account}.overdue`, { source: 'erp', sequence: 1, message: 'invoice 7' });
    const down = await connection.reaches('DISCONNECTED');
    expect(down?.holds).toMatchObject([{ source: `erp:${consumer.account}`, message: 'invoice 7' }]);
    await say(`billing.v1.${consumer.account}.settled`, { source: 'erp', sequence: 2 });
    await connection.reaches('CONNECTED');
    await nats.close();
  });

  it('ignores what comes late', async () => {
    const { cast, log, follow } = stage();
    const { provider, consumer, billing: reporter } = await cast();
    const service = await publishService(provider, log, { autoAccept: true, users: [consumer.account] });
    const { endpointId } = await createEndpoint(consumer, endpointRequest(service, await registerNetwork(consumer)));
    const connection = follow(consumer, endpointId);
    await connection.reaches('CONNECTED');
    await reportPayment(reporter, 'overdue', endpointId, 5n);
    await connection.reaches('DISCONNECTED');
    await reportPayment(reporter, 'settled', endpointId, 4n);
    await reportPayment(reporter, 'settled', endpointId, 6n);
    await connection.reaches('CONNECTED');
    await reportPayment(reporter, 'overdue', endpointId, 5n);
    await reportPayment(reporter, 'overdue', endpointId, 7n);
    await connection.reaches('DISCONNECTED');
    const recorded = log.of('facts', endpointId).map(({ data }) => data['sequence']);
    expect(recorded).toEqual([5, 6, 7]);
  });
};
