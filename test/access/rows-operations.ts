import { absent, FORGED_TOKEN, nobody, noField, pageTokenRow, type Row, type Rows } from './row.ts';

const staff = { ...nobody, operator: 'OK', viewer: 'OK' };
const forged = { ...nobody, operator: 'INVALID_ARGUMENT', viewer: 'INVALID_ARGUMENT' };

/** There is none in the scene. */
const deadLetter: Row = {
  field: 'deadLetterId',
  say: (_scene, deadLetterId) => ({ deadLetterId, message: 'why' }),
  real: () => absent.deadLetter,
  absent: absent.deadLetter,
  expected: { ...nobody, operator: 'NOT_FOUND' },
};

export const operationsRows: Rows = {
  'operations.listReadModels': [noField(() => ({}), staff)],
  'operations.rebuildReadModel': [
    {
      field: 'readModel',
      say: (_scene, readModel) => ({ readModel }),
      real: () => 'endpoint_services',
      absent: 'nothing',
      expected: { ...nobody, operator: 'OK' },
    },
  ],
  'operations.listSubscriptions': [noField(() => ({}), staff)],
  'operations.listDeadLetters': [
    noField(() => ({}), staff),
    // Of one page there is no token.
    { ...pageTokenRow('operations.listDeadLetters', forged), real: () => FORGED_TOKEN },
  ],
  'operations.replayDeadLetter': [deadLetter],
  'operations.discardDeadLetter': [deadLetter],
};
