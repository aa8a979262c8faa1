import type { ServerUnaryCall, sendUnaryData, UntypedServiceImplementation } from '@grpc/grpc-js';
import gossip from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/gossip_pb.js';
import features from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/serverfeatures_pb.js';
import shared from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/shared_pb.js';

/** The server version whose behaviour this store has, as far as it goes. */
const serverVersion = '23.10.0';

const streamsMethods: Readonly<Record<string, readonly string[]>> = {
  append: [],
  batchappend: [],
  read: ['position', 'events'],
  delete: [],
  tombstone: [],
};

export function createServerFeatures(): UntypedServiceImplementation {
  const supported = new features.SupportedMethods();
  supported.setEventStoreServerVersion(serverVersion);
  for (const [name, list] of Object.entries(streamsMethods)) {
    const method = new features.SupportedMethod();
    method.setServiceName('event_store.client.streams.streams');
    method.setMethodName(name);
    method.setFeaturesList([...list]);
    supported.addMethods(method);
  }
  return {
    getSupportedMethods: (_call: ServerUnaryCall<unknown, unknown>, reply: sendUnaryData<unknown>) =>
      reply(null, supported),
  };
}

/** Gossip of a cluster of one; `endpoint` is asked per call because the port is known only once bound. */
export function createGossip(instanceId: string, endpoint: () => { host: string; port: number }) {
  return {
    read(_call: ServerUnaryCall<unknown, unknown>, reply: sendUnaryData<unknown>): void {
      const { host, port } = endpoint();
      const id = new shared.UUID();
      id.setString(instanceId);
      const address = new gossip.EndPoint();
      address.setAddress(host);
      address.setPort(port);
      const member = new gossip.MemberInfo();
      member.setInstanceId(id);
      member.setTimeStamp(String(Date.now() * 10_000));
      member.setState(gossip.MemberInfo.VNodeState.LEADER);
      member.setIsAlive(true);
      member.setHttpEndPoint(address);
      const info = new gossip.ClusterInfo();
      info.addMembers(member);
      reply(null, info);
    },
  };
}
