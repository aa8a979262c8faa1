import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  Forwarding,
  ForwardingState,
  type ReportForwardingRequest,
  type ReportTrafficRequest,
  type ReportZoneHealthRequest,
  type WatchZoneRequest,
  type WatchZoneResponse,
} from '@privatelink/proto/broker/v1/broker_service';
import { Unavailable } from '@privatelink/shared/app/errors';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import { createIssuer, startBroker } from '@privatelink/shared/grpc/test-support';
import { serverStream, unary } from '@privatelink/shared/grpc/unary';
import { newId } from './network-namespaces.ts';

export type FakeBroker = Awaited<ReturnType<typeof startFakeBroker>>;

type Desired = Partial<Omit<Forwarding, 'resource'>> & { resource?: object };

/** A real gRPC server with the RPCs of zone agents, and a zone that tests desire things of. */
export const startFakeBroker = async (directory: string) => {
  const issuer = await createIssuer();
  const tokenFile = join(directory, 'token');
  await writeFile(tokenFile, await issuer.token(['service'], '', 'service:data-plane'));
  const zone = new Map<string, Forwarding>();
  const streams = new Set<{ queue: WatchZoneResponse[]; wake: () => void; fail: (error: Error) => void }>();
  const watched: WatchZoneRequest[] = [];
  const reports: ReportForwardingRequest[] = [];
  const health: ReportZoneHealthRequest[] = [];
  const traffic: ReportTrafficRequest[] = [];
  let position = 0n;
  /** Until it resolves new streams are told nothing. */
  let silence = Promise.withResolvers<void>();
  silence.resolve();
  let refusal: Error | undefined;

  const tell = (forwarding: Forwarding): void => {
    zone.set(forwarding.connectionId, forwarding);
    position++;
    for (const { queue, wake } of streams) {
      queue.push({ told: { $case: 'forwarding', value: forwarding }, position });
      wake();
    }
  };

  const server = await startBroker(issuer, {
    watchZone: serverStream(async function* (
      request: WatchZoneRequest,
      rpc: RpcContext,
    ): AsyncIterable<WatchZoneResponse> {
      watched.push(request);
      await silence.promise;
      const queue: WatchZoneResponse[] = [...zone.values()].map((value) => ({
        told: { $case: 'forwarding', value },
        position: 0n,
      }));
      queue.push({ told: { $case: 'synced', value: true }, position });
      let waking = Promise.withResolvers<void>();
      const stream = { queue, wake: () => waking.resolve(), fail: (error: Error) => waking.reject(error) };
      rpc.signal.addEventListener('abort', () => waking.reject(rpc.signal.reason));
      waking.promise.catch(() => undefined);
      streams.add(stream);
      try {
        for (;;) {
          yield* queue.splice(0);
          if (queue.length > 0) continue;
          await waking.promise;
          waking = Promise.withResolvers();
          waking.promise.catch(() => undefined);
        }
      } finally {
        streams.delete(stream);
      }
    }),
    reportForwarding: unary(async (request: ReportForwardingRequest) => {
      reports.push(request);
      if (refusal) throw refusal;
      const forwarding = zone.get(request.connectionId);
      if (forwarding?.generation !== request.generation || forwarding.state !== request.state) return {};
      const listeners = request.state === ForwardingState.READY ? request.listeners : forwarding.listeners;
      tell({ ...forwarding, confirmed: true, listeners });
      return {};
    }),
    reportZoneHealth: unary(async (request: ReportZoneHealthRequest) => {
      health.push(request);
      if (refusal) throw refusal;
      const forwarding = zone.get(request.connectionId);
      const { healthy, bandwidthKept = true } = request;
      if (forwarding) tell({ ...forwarding, healthy, bandwidthKept });
      return {};
    }),
    reportTraffic: unary(async (request: ReportTrafficRequest) => {
      traffic.push(request);
      if (refusal) throw refusal;
      return { number: request.after + 1n };
    }),
  });

  return {
    address: `127.0.0.1:${server.port}`,
    tokenFile,
    jwksFile: issuer.jwksFile,
    watched,
    reports,
    health,
    traffic,
    /** Desires a new generation of an interface; what is not said is as it was. @returns its connection id */
    desire: (desired: Desired): string => {
      const connectionId = desired.connectionId ?? newId('ep');
      const before = zone.get(connectionId);
      const fresh = {
        healthy: true,
        bandwidthKept: true,
        vpcId: newId('vpc'),
        eniId: newId('eni'),
        ipv4Address: '10.0.0.5',
        state: ForwardingState.READY,
      };
      const generation = (before?.generation ?? 0n) + 1n;
      const { resource, ...rest } = desired;
      const next = { ...fresh, ...before, ...rest, connectionId, generation, confirmed: false };
      tell(Forwarding.fromPartial({ ...next, ...(resource && { resource }) }));
      return connectionId;
    },
    /** It does not exist, and nobody is told. */
    forget: (connectionId: string): void => {
      zone.delete(connectionId);
    },
    current: (connectionId: string): Forwarding | undefined => zone.get(connectionId),
    listenersOf: (connectionId: string): readonly string[] =>
      zone.get(connectionId)?.listeners.map(({ address }) => address) ?? [],
    isConfirmed: (connectionId: string): boolean => zone.get(connectionId)?.confirmed === true,
    /** Whatever is watched from now on is told nothing, until it may speak. */
    beSilent: (): void => {
      silence = Promise.withResolvers();
    },
    speak: (): void => silence.resolve(),
    /** Ends the streams that are told something. */
    endStreams: (): void => {
      for (const { fail } of streams) fail(new Unavailable('GONE', 'this stream is over'));
    },
    refuseReports: (error: Error | undefined): void => {
      refusal = error;
    },
    stop: async (): Promise<void> => {
      silence.resolve();
      await server.stop(100);
      await issuer.remove();
    },
  };
};
