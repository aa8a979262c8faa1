import { create, type DescMessage, fromJson, type JsonValue, toJson } from '@bufbuild/protobuf';
import { registry } from '@privatelink/shared/grpc/json-call';
import { Command, CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { rpcs } from './contract.ts';
import { flagOf, optionFor } from './field-option.ts';
import { requestJson } from './rpc-command.ts';

const inputOf = (name: string): DescMessage => {
  const rpc = rpcs.find(({ method }) => method.name === name);
  if (!rpc) throw new Error(`no ${name}`);
  return rpc.method.input;
};

/** What options make of a request, in the contract's JSON. */
const parse = (name: string, ...args: readonly string[]): JsonValue => {
  const input = inputOf(name);
  const command = new Command(name).exitOverride().configureOutput({ writeErr: () => undefined });
  for (const field of input.fields) command.addOption(optionFor(field));
  command.option('--request <json>');
  command.parse(args, { from: 'user' });
  const message = fromJson(input, requestJson(input, command.opts()) as JsonValue, { registry });
  return toJson(input, message, { registry, useProtoFieldName: true });
};

describe('a command of each RPC', () => {
  it('has a name of its own, and says what it does', () => {
    const names = rpcs.map(({ noun, verb }) => `${noun} ${verb}`);
    expect(names).toEqual([...new Set(names)]);
    expect(names).toContain('endpoint-service create');
    expect(names).toContain('connection list');
    for (const { about, method } of rpcs) expect(about, method.name).toMatch(/^[A-Z].+\.$/);
  });

  it.each(rpcs.map(({ method }) => method))(
    'takes each field of its request once, with a description: $name',
    ({ input }) => {
      const flags = input.fields.map(flagOf);
      expect(flags).toEqual([...new Set(flags)]);
      for (const field of input.fields) expect(optionFor(field).description, field.name).not.toBe('');
      expect(create(input)).toBeDefined();
    },
  );
});

describe('options', () => {
  it('are read as the contract says: enums by their short names, messages, lists, times', () => {
    expect(parse('ListConnections', '--status', 'connected', '--status', 'SERVICE_DELETED', '--stuck')).toEqual({
      ...{ statuses: ['CONNECTION_STATUS_CONNECTED', 'CONNECTION_STATUS_SERVICE_DELETED'], stuck: true },
    });
    expect(parse('AddEndpointZone', '--zone', 'zone_id=cn-hangzhou-h, vswitch-id=vsw-1')).toMatchObject({
      zone: { zone_id: 'cn-hangzhou-h', vswitch_id: 'vsw-1' },
    });
    expect(parse('AddServiceUser', '--approval-ttl', '90', '--max-connections', '0')).toMatchObject({
      ...{ approval_ttl: '90s', max_connections: 0 },
    });
    expect(parse('AcceptConnection', '--expire-time', '2030-01-02T03:04:05Z')).toMatchObject({
      expire_time: '2030-01-02T03:04:05Z',
    });
    expect(parse('EvaluatePolicy', '--context', 'a=1', '--context', 'b=x=y')).toEqual({
      context: { a: '1', b: 'x=y' },
    });
  });

  it('say no where the contract can tell that from saying nothing', () => {
    expect(parse('UpdateEndpoint', '--protected', 'false')).toMatchObject({ protected: false });
    expect(parse('UpdateEndpoint', '--protected')).toMatchObject({ protected: true });
    expect(parse('AddServiceUser', '--auto-accept', 'false')).toMatchObject({ auto_accept: false });
    expect(parse('UpdateEndpoint')).not.toHaveProperty('protected');
    expect(() => parse('UpdateEndpoint', '--protected', 'perhaps')).toThrow(/true or false/);
  });

  it('come on top of a whole request; a mutation without an id of its own gets one', () => {
    const whole = '{"request_id":"r-1","connection_id":"ep-1","message":"from the request"}';
    expect(parse('PauseConnection', '--request', whole, '--message', 'from the option')).toEqual({
      ...{ request_id: 'r-1', connection_id: 'ep-1', message: 'from the option' },
    });
    const [first, second] = [parse('PauseConnection'), parse('PauseConnection')] as { request_id: string }[];
    expect(first?.request_id).toMatch(/^[0-9a-f-]{36}$/);
    expect(second?.request_id).not.toBe(first?.request_id);
    expect(parse('GetConnection')).not.toHaveProperty('request_id');
    expect(() => parse('PauseConnection', '--request', '{')).toThrow('--request is no JSON');
  });

  it.each([
    ['ListConnections', '--status', 'perhaps', /must be one of connecting, /],
    ['ListConnections', '--page-size', 'many', /whole number/],
    ['AddEndpointZone', '--zone', 'zone_id', /name=value/],
    ['AddEndpointZone', '--zone', 'colour=red', /has no colour: it has zone_id, /],
    ['AddEndpointZone', '--zone', '{', /is no JSON/],
  ])('that are none are refused: %s %s %s', (name, flag, value, message) => {
    expect(() => parse(name, flag, value)).toThrow(CommanderError);
    expect(() => parse(name, flag, value)).toThrow(message);
  });
});
