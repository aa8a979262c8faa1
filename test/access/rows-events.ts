import {
  consistencyTokenRow,
  eachAccounts,
  FORGED_TOKEN,
  nobody,
  noField,
  pageTokenRow,
  type Row,
  type Rows,
} from './row.ts';
import type { Scene } from './scene.ts';

const LIST = 'events.listEvents';
type Fact = { resource?: { $case: string; value: { connectionId?: string } } };

const isOf = (fact: Fact | undefined, { endpointId }: Scene): boolean =>
  fact?.resource?.$case === 'connection' && fact.resource.value.connectionId === endpointId;
const listed = (response: object, scene: Scene): boolean =>
  (response as { events: readonly Fact[] }).events.some((fact) => isOf(fact, scene));
const watched = (response: object, scene: Scene): boolean => {
  const { told } = response as { told?: { $case: string; value: Fact } };
  return told?.$case === 'event' && isOf(told.value, scene);
};

/** Both sides of the connection are told of it, and whoever sees everything. */
const shown: Row['expected'] = {
  ...{ ...nobody, owner: 'FULL', counterpart: 'FULL', stranger: 'EMPTY' },
  ...{ operator: 'FULL', viewer: 'FULL' },
};
const notTheirs = {
  ...{ counterpart: 'INVALID_ARGUMENT', stranger: 'INVALID_ARGUMENT' },
  ...{ operator: 'INVALID_ARGUMENT', viewer: 'INVALID_ARGUMENT' },
};

export const eventsRows: Rows = {
  'events.watchEvents': [
    noField(() => ({}), { ...shown, service: 'FULL' }, watched),
    {
      field: 'resumeToken',
      say: (_scene, resumeToken) => ({ resumeToken }),
      real: (scene) => scene.resumeToken,
      absent: FORGED_TOKEN,
      expected: { ...nobody, owner: 'OK', ...notTheirs, service: 'INVALID_ARGUMENT' },
    },
  ],
  [LIST]: [
    noField(() => ({ pageSize: 1_000 }), shown, listed),
    pageTokenRow(LIST, { ...nobody, owner: 'OK', ...notTheirs }),
    consistencyTokenRow(LIST, { ...eachAccounts('OK'), operator: 'OK', viewer: 'OK' }),
  ],
};
