import { expect, it } from 'vitest';
import { endpointRequest, publishService, refusalOf, registerNetwork } from '../../support/scenario.ts';
import { CALL } from '../../support/world.ts';
import type { Race } from '../races.e2e.spec.ts';

export const creation = (race: () => Race): void => {
  const prepare = async () => {
    const { cast, log } = race();
    const { provider, consumer, service: anyService } = await cast();
    const service = await publishService(provider, log, { autoAccept: true, users: [consumer.account] });
    const network = await registerNetwork(consumer);
    const request = endpointRequest(service, network);
    const reserved = () => log.records('vpc', network.vpcId, 'EndpointReserved');
    const admitted = () => log.records('serviceAdmissions', service.serviceId, 'EndpointAdmitted');
    return { ...{ consumer, anyService, service, network, request, reserved, admitted } };
  };
  const idOf = ({ data }: Readonly<{ data: Readonly<Record<string, unknown>> }>) => String(data['endpointId']);

  it('the reconciler first: the creation is refused, and nothing is left of it', async () => {
    const { hold, log } = race();
    const { consumer, service, network, request, reserved } = await prepare();
    const creating = hold('createEndpoint:after-reservation');
    const refusal = refusalOf(consumer.consumer.createEndpoint(request, CALL));
    await creating.reached();
    const endpointId = idOf(await reserved());
    await log.records('endpoint', endpointId, 'EndpointCreationAbandoned');
    creating.release();
    expect(await refusal).toMatchObject({ code: 10, reason: 'ENDPOINT_CREATION_ABANDONED' });
    await log.records('vpc', network.vpcId, 'ReservationReleased');
    await log.records('serviceAdmissions', service.serviceId, 'AdmissionReleased');
    expect((await refusalOf(consumer.consumer.getEndpoint({ endpointId }, CALL))).code).toBe(5);
    expect(log.of('connection', endpointId)).toEqual([]);
    // Asked again, it is the same request, which was given up for ever.
    expect((await refusalOf(consumer.consumer.createEndpoint(request, CALL))).reason).toBe(
      'ENDPOINT_CREATION_ABANDONED',
    );
  });

  it('the creation first: the reconciler finds it and takes nothing away', async () => {
    const { hold, log, follow } = race();
    const { consumer, anyService, network, request, reserved } = await prepare();
    const [creating, fencing] = [hold('createEndpoint:after-reservation'), hold('reservationCleanup:before-fence')];
    // The provider service asks about the same creation, and would be first otherwise.
    const asking = hold('admissionCleanup:before-asking');
    const created = consumer.consumer.createEndpoint(request, CALL);
    await creating.reached();
    const endpointId = idOf(await reserved());
    const connection = follow(consumer, endpointId);
    await fencing.reached();
    creating.release();
    expect((await created).endpoint?.endpointId).toBe(endpointId);
    fencing.release();
    asking.release();
    await connection.reaches('CONNECTED');
    expect(await anyService.consumer.settleEndpointCreation({ endpointId }, CALL)).toEqual({ created: true });
    expect(log.of('endpoint', endpointId).some(({ type }) => type.startsWith('EndpointCreationAbandoned'))).toBe(false);
    expect(log.of('vpc', network.vpcId).some(({ type }) => type.startsWith('ReservationReleased'))).toBe(false);
  });

  it('the provider service asks about an admission before anything is reserved: no endpoint, no slot', async () => {
    const { hold, log } = race();
    const { consumer, service, network, request, admitted } = await prepare();
    const creating = hold('createEndpoint:after-admission');
    const refusal = refusalOf(consumer.consumer.createEndpoint(request, CALL));
    await creating.reached();
    const endpointId = idOf(await admitted());
    await log.records('endpoint', endpointId, 'EndpointCreationAbandoned');
    await log.records('serviceAdmissions', service.serviceId, 'AdmissionReleased');
    creating.release();
    expect(await refusal).toMatchObject({ reason: 'ENDPOINT_CREATION_ABANDONED' });
    await log.records('vpc', network.vpcId, 'ReservationReleased');
  });
};
