import { nobody, noField, type Rows } from './row.ts';

export const operationsRows: Rows = {
  'operations.listReadModels': [noField(() => ({}), { ...nobody, operator: 'OK', viewer: 'OK' })],
  'operations.rebuildReadModel': [
    {
      field: 'readModel',
      say: (_scene, readModel) => ({ readModel }),
      real: () => 'endpoint_services',
      absent: 'nothing',
      expected: { ...nobody, operator: 'OK' },
    },
  ],
};
