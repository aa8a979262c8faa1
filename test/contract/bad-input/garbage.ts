import { loadSigningKey, mintToken } from '@privatelink/embedded/keys';
import { roles } from '@privatelink/shared/grpc/access';
import { garbageFieldFor, garbageFor } from '@privatelink/shared/testing/garbage';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, openCaller } from '../../access/call.ts';
import { absent, type Rows } from '../../access/row.ts';
import { type Rpc, requestOf, rpcs } from '../../access/rpcs.ts';
import { accounts } from '../../access/scene.ts';
import { type GetStage, partyOf, type Stage } from './stage.ts';

const RUNS = 20;

/** What a caller may be told, whatever it sends. */
const TYPED = [
  ...['OK', 'INVALID_ARGUMENT', 'NOT_FOUND', 'ALREADY_EXISTS', 'FAILED_PRECONDITION'],
  ...['ABORTED', 'RESOURCE_EXHAUSTED'],
];

const knownTo = ({ scene }: Stage): readonly string[] => {
  const { serviceId, serviceName, endpointId, networks } = scene;
  const own = Object.values(networks.C);
  return [serviceId, serviceName, endpointId, ...own, ...Object.values(absent), ...Object.values(accounts)];
};

/** Well-typed nonsense at every RPC, from somebody who may call all of them. */
export const garbage = (stage: GetStage, rows: Rows): void => {
  let caller: Caller;
  beforeAll(async () => {
    const { run } = stage();
    const key = await loadSigningKey(run.issuer.keyFile);
    const token = await mintToken({ subject: 'monkey', account: accounts.C, roles, key, ttlSeconds: 3_600 });
    caller = openCaller(run, `Bearer ${token}`);
  });
  afterAll(() => caller?.close());

  const throwAt = async (rpc: Rpc, requests: fc.Arbitrary<Buffer>): Promise<void> => {
    await fc.assert(
      fc.asyncProperty(requests, async (request) => {
        const { code, reason, message } = await caller.send(rpc, request);
        expect(TYPED, `${code} ${reason} ${message}`).toContain(code);
        if (code !== 'OK') expect(reason).not.toBe('');
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  };

  describe('garbage', () => {
    it.each(rpcs.map((rpc) => [rpc.title, rpc] as const))('is answered like anything else: %s', async (title, rpc) => {
      const known = knownTo(stage());
      const method = rpc.definition.path.slice(1);
      await throwAt(rpc, garbageFor(method, known));
      for (const row of rows[title] ?? []) {
        const said = row.say(stage().scene, row.real(stage().scene), partyOf(rpc));
        const right = rpc.definition.requestSerialize(requestOf(rpc, said));
        await throwAt(
          rpc,
          garbageFieldFor(method, known).map((field) => Buffer.concat([right, field])),
        );
      }
    });
  });
};
