import { globSync, readFileSync } from 'node:fs';
import { eventFields as factFields } from '@privatelink/shared/facts/events';
import type { Fields } from '@privatelink/shared/filter/fields';
import { expect, it } from 'vitest';
import { eventFields } from '../../services/connection-broker/src/api/timeline-fields.ts';
import { connectionFields } from '../../services/connection-broker/src/read-models/connections.ts';
import { endpointFields } from '../../services/consumer/src/read-models/endpoints.ts';
import { gatewayEndpointFields } from '../../services/consumer/src/read-models/gateway-endpoints.ts';
import { vpcFields } from '../../services/consumer/src/read-models/vpcs.ts';
import { resourceFields } from '../../services/provider/src/api/resource-handlers.ts';
import { userFields } from '../../services/provider/src/api/user-handlers.ts';
import { ownServiceFields, visibleServiceFields } from '../../services/provider/src/read-models/endpoint-services.ts';

/** `docs/filters.md` says what each list may be filtered and sorted by. */

const lists: Readonly<Record<string, Fields<string>>> = {
  ListEndpointServices: ownServiceFields,
  ListVisibleServices: visibleServiceFields,
  ListResources: resourceFields,
  ListServiceUsers: userFields,
  ListEndpoints: endpointFields,
  ListVpcs: vpcFields,
  ListGatewayEndpoints: gatewayEndpointFields,
  ListConnections: connectionFields,
  ListConnectionEvents: eventFields,
  ListEvents: factFields,
};

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const named = (cell = ''): readonly string[] => [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name);
const rows = read('docs/filters.md')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').slice(1, -1));

it.each(Object.entries(lists))('docs/filters.md knows %s', (list, fields) => {
  const [, filtered, ordered] = rows.find(([name]) => named(name)[0] === list) ?? [];
  expect(named(filtered)).toEqual(Object.keys(fields));
  expect(named(ordered)).toEqual(Object.keys(fields).filter((name) => fields[name]?.ordered));
});

it('docs/filters.md and the README know every list that there is, and which of them take no filter', () => {
  const contract = globSync('proto/privatelink/**/*.proto', { cwd: root }).map(read).join('\n');
  const all = [...contract.matchAll(/rpc (List\w+)\(/g)].map(([, name = '']) => name).sort();
  const plain = all.filter((list) => !fieldsOf(contract, `${list}Request`).includes('filter'));
  expect(plain).toEqual(['ListDeadLetters', 'ListReadModels', 'ListSubscriptions', 'ListVpcResolvers']);
  for (const list of plain) expect(fieldsOf(contract, `${list}Request`)).not.toContain('order_by');
  expect(rows.map(([name]) => named(name)[0]).sort()).toEqual(all.filter((list) => !plain.includes(list)));
  for (const doc of ['docs/filters.md', 'README.md']) {
    const [, exceptions] = /((?:`\w+`|,\s|\s+and\s+)+)\s+take neither/.exec(read(doc)) ?? [];
    expect(named(exceptions).toSorted(), doc).toEqual(plain);
  }
});

/** Names of the fields of a message, which is somewhere. */
const fieldsOf = (contract: string, message: string): readonly string[] => {
  const [, body] = new RegExp(`^message ${message} \\{([^}]*)\\}`, 'm').exec(contract) ?? [];
  if (body === undefined) throw new Error(`no message ${message}`);
  return [...body.matchAll(/^ {2}[\w. ]+ (\w+) = \d+/gm)].map(([, name = '']) => name);
};
