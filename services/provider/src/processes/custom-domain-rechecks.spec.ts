import { createRepository } from '@privatelink/shared/app/repository';
import type { CommandContext } from '@privatelink/shared/eventing/command-context';
import { createMemoryStore } from '@privatelink/shared/testing/memory-store';
import { beforeEach, describe, expect, it } from 'vitest';
import { endpointServiceCodec } from '../endpoint-service/endpoint-service.codec.ts';
import { endpointService } from '../endpoint-service/endpoint-service.decide.ts';
import * as the from '../endpoint-service/endpoint-service.fixtures.ts';
import type { CustomDomainFailure, EndpointServiceCommand } from '../endpoint-service/endpoint-service.ts';
import { customDomainRechecks } from './custom-domain-rechecks.ts';

const SERVICE = 'epsrv-1';
const NAME = '*.db.example.com';
const KEY = `${SERVICE}/${NAME}`;
const EVERY_MS = 60_000;
const START = Date.parse('2026-01-02T03:04:05.000Z');

let now: Date;
let stage: ReturnType<typeof openStage>;
let requests = 0;

const context = (): CommandContext => ({
  ...{ actor: 'user:paula', accountId: '1000000000000001', requestId: `r${++requests}`, fingerprint: '' },
  ...{ correlationId: 'c', causationId: 'c', deadline: Number.POSITIVE_INFINITY },
});

const openStage = () => {
  const clock = { now: () => now, sleep: async () => undefined };
  const store = createMemoryStore(clock);
  const services = createRepository({ store, clock, producer: 'provider' }, endpointService, endpointServiceCodec);
  let proof: CustomDomainFailure | null | Error = null;
  const asked: string[] = [];
  const reactor = customDomainRechecks({
    ...{ services, clock, everyMs: EVERY_MS },
    findProof: async (domainName) => {
      asked.push(domainName);
      if (proof instanceof Error) throw proof;
      return proof;
    },
  });
  return {
    reactor,
    asked,
    give: (command: EndpointServiceCommand) => services.execute(SERVICE, command, context()),
    find: (next: typeof proof) => {
      proof = next;
    },
    look: (revision: bigint | null = null) => reactor.work(KEY, revision),
    domain: async () => (await services.fold(SERVICE)).state.customDomains[NAME],
    revision: async () => (await services.fold(SERVICE)).revision,
  };
};

beforeEach(async () => {
  now = new Date(START);
  stage = openStage();
  await stage.give(the.create());
  await stage.give(the.activate);
  await stage.give(the.declare(NAME));
  const { version = 0 } = (await stage.domain()) ?? {};
  await stage.give(the.checked(NAME, null, version));
});

const later = (ms: number): void => {
  now = new Date(now.getTime() + ms);
};

describe('a custom domain that was proven', () => {
  it('is looked at again when it is time, and again after that', async () => {
    const before = await stage.revision();
    expect(await stage.look(before)).toEqual({ againMs: EVERY_MS });
    later(EVERY_MS - 1);
    expect(await stage.look()).toEqual({ againMs: 1 });
    expect(stage.asked).toEqual([]);
    later(1);
    for (const _ of [1, 2]) {
      expect(await stage.look()).toEqual({ againMs: EVERY_MS });
      later(EVERY_MS);
    }
    expect(stage.asked).toEqual([NAME, NAME]);
    expect(await stage.revision()).toBe(before);
  });

  it('fails where its proof is gone, until it is verified anew', async () => {
    later(EVERY_MS);
    stage.find('OTHER_RECORD');
    await stage.look();
    expect(await stage.domain()).toMatchObject({ status: 'FAILED', failure: 'OTHER_RECORD' });
    later(EVERY_MS);
    stage.find(null);
    expect(await stage.look()).toBe('settled');
    expect(await stage.domain()).toMatchObject({ status: 'FAILED' });
    await stage.give(the.checked(NAME, null, Number.MAX_SAFE_INTEGER));
    expect(await stage.look()).toEqual({ againMs: EVERY_MS });
    expect(await stage.domain()).toMatchObject({ status: 'VERIFIED' });
  });

  it('stays so while DNS says nothing, and is asked for again', async () => {
    later(EVERY_MS);
    stage.find(new Error('SERVFAIL'));
    await expect(stage.look()).rejects.toThrow('SERVFAIL');
    expect(await stage.domain()).toMatchObject({ status: 'VERIFIED' });
  });

  it('is looked at later while the service is locked', async () => {
    await stage.give(the.lock());
    later(EVERY_MS);
    stage.find('NO_RECORD');
    expect(await stage.look()).toEqual({ againMs: EVERY_MS });
    expect(await stage.domain()).toMatchObject({ status: 'VERIFIED' });
  });

  it('is forgotten when it is removed', async () => {
    await stage.give(the.withdraw(NAME));
    later(EVERY_MS);
    expect(await stage.look()).toBe('settled');
    expect(stage.asked).toEqual([]);
  });
});
