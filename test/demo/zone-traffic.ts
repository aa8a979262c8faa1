import { describeOutcome, type Flow, localClient } from '../support/traffic/client.ts';
import type { Api } from '../support/world.ts';
import { CALL } from '../support/world.ts';
import { Difference, expectEqual, type Stage } from './story.ts';
import { expectClosed, expectCut, onlyOne } from './traffic-checks.ts';

/** What a story says of the traffic through the zones of one endpoint, each by itself. */
export type ZoneTraffic = Readonly<{
  /** Opens a flow through a zone's interface, which this backend answers. */
  opens: (zoneId: string, backend: string) => Promise<void>;
  /** Each open flow through a zone is answered by the backend that answered it first. */
  goesOn: (zoneId: string) => Promise<void>;
  /** All flows through a zone were cut soon after the end of CONNECTED. */
  isCut: (zoneId: string) => Promise<void>;
  /** The interface that a zone had accepts nothing any more. */
  isClosed: (zoneId: string) => Promise<void>;
}>;

export const checkZoneTraffic = (
  stage: Stage,
  { consumer, connectionId }: Readonly<{ consumer: Pick<Api, 'broker'>; connectionId: string }>,
): ZoneTraffic => {
  const { run, narrator } = stage;
  const { checked } = narrator;
  if (run.dataPlane.mode === 'none') return nothingIsForwarded(checked);
  const addresses = new Map<string, string>();
  const flows = new Map<string, readonly Flow[]>();
  const flowsIn = (zoneId: string): readonly Flow[] => {
    const open = flows.get(zoneId) ?? [];
    if (open.length === 0) throw new Difference(`no flow through ${zoneId} was opened`);
    return open;
  };
  return {
    opens: async (zoneId, backend) => {
      const { connection } = await consumer.broker.getConnection({ connectionId }, CALL);
      const zone = connection?.zones.find((one) => one.zoneId === zoneId);
      const { address } = onlyOne(zone?.listeners ?? [], zoneId);
      const flow = await localClient.open(address);
      expectEqual(`who answers at ${address}`, describeOutcome(flow.first), `${backend} ${connectionId}`);
      addresses.set(zoneId, address);
      flows.set(zoneId, [...(flows.get(zoneId) ?? []), flow]);
      checked(`a new flow through ${zoneId} is answered by ${backend}`);
    },
    goesOn: async (zoneId) => {
      for (const flow of flowsIn(zoneId)) {
        const first = describeOutcome(flow.first);
        expectEqual(`the flow through ${zoneId}`, describeOutcome(await flow.ask()), first);
        checked(`a flow through ${zoneId} goes on, answered by ${first.split(' ')[0]}`);
      }
    },
    isCut: async (zoneId) => {
      const afterMs = await expectCut(stage, connectionId, flowsIn(zoneId));
      flows.delete(zoneId);
      checked(`the flows through ${zoneId} were cut ${afterMs} ms after CONNECTED had ended`);
    },
    isClosed: async (zoneId) => {
      await expectClosed(localClient, addresses.get(zoneId) ?? '', 'refused');
      checked(`new ones through ${zoneId} are refused`);
    },
  };
};

const nothingIsForwarded = (checked: (reason: string) => void): ZoneTraffic => ({
  opens: async () => checked('nothing is forwarded (PRIVATELINK_FORWARDING=none)'),
  goesOn: async () => undefined,
  isCut: async () => undefined,
  isClosed: async () => undefined,
});
