import { describe, expect, it } from 'vitest';
import { stateMachines, stateMachinesPage, writtenPage } from '../../infra/state-machines.ts';

/** Each line: from, on, to. What the domain is said to do, apart from the code that does it. */
const rowsOf = (text: string): readonly string[] =>
  text
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [from = '', on, to] = line.trim().split(/ {2,}/);
      return from.split(' ').map((status) => `${status} --${on}--> ${to}`);
    })
    .sort();

const declared = (name: string): readonly string[] =>
  (stateMachines[name]?.rows ?? [])
    .flatMap(({ from, on, to }) => from.map((status) => `${status ?? '(none)'} --${on}--> ${to}`))
    .sort();

const CONNECTION = `
  (none)                                                     requested        CONNECTING
  (none)                                                     requested        DISCONNECTED
  DISCONNECTED                                               holdPlaced       DISCONNECTED
  DISCONNECTED                                               holdLifted       DISCONNECTED
  DISCONNECTED                                               lastHoldLifted   CONNECTING
  DISCONNECTED                                               changed          DISCONNECTED
  CONNECTING                                                 confirmed        CONNECTED
  CONNECTING                                                 changed          CONNECTING
  CONNECTED                                                  changed          CHANGING
  CHANGING                                                   changed          CHANGING
  CHANGING                                                   confirmed        CONNECTED
  CONNECTING CONNECTED CHANGING                              firstHoldPlaced  DISCONNECTING
  DISCONNECTING                                              holdPlaced       DISCONNECTING
  DISCONNECTING                                              holdLifted       DISCONNECTING
  DISCONNECTING                                              changed          DISCONNECTING
  DISCONNECTING                                              tornDown         DISCONNECTED
  DISCONNECTING                                              tornDown         CONNECTING
  CONNECTING CONNECTED CHANGING DISCONNECTING DISCONNECTED   serviceDeleted   SERVICE_DELETED
  CONNECTING CONNECTED CHANGING DISCONNECTING DISCONNECTED   endpointDeleted  DELETING
  SERVICE_DELETED                                            endpointDeleted  DELETING
  (none)                                                     endpointDeleted  GONE
  DELETING                                                   tornDown         GONE
`;

const ENDPOINT = `
  (none)                    created            CREATING
  CREATING                  activated          ACTIVE
  ACTIVE                    changeStarted      CHANGING
  CHANGING                  changeCompleted    ACTIVE
  CREATING ACTIVE CHANGING  deletionStarted    DELETING
  DELETING                  deletionCompleted  GONE
  (none)                    abandoned          ABANDONED
`;

const ENDPOINT_SERVICE = `
  (none)                    created            CREATING
  CREATING                  activated          ACTIVE
  ACTIVE                    changeStarted      CHANGING
  CHANGING                  changeCompleted    ACTIVE
  CREATING ACTIVE CHANGING  deletionStarted    DELETING
  DELETING                  deletionRefused    ACTIVE
  DELETING                  deletionRefused    CHANGING
  DELETING                  teardownConfirmed  GONE
  (none)                    abandoned          GONE
`;

const SUPPORTED_REGION = `
  (none) CLOSED FAILED      added              PENDING
  PENDING                   opened             AVAILABLE
  PENDING                   failed             FAILED
  PENDING AVAILABLE FAILED  removalStarted     DELETING
  DELETING                  removalRefused     AVAILABLE
  DELETING                  teardownConfirmed  CLOSED
`;

const NAMES = `
  (none)                      reserved   WITHDRAWN
  (none) WITHDRAWN            published  PUBLISHED
  PUBLISHED                   withdrawn  WITHDRAWN
  (none) WITHDRAWN PUBLISHED  removed    REMOVED
`;

/** The zone's life, without what crosses it: the rest of its rows is kept by its own properties. */
const ZONE = `
  (none)         ConnectionRequested   WAIT
  (none)         ConnectionRequested   CONNECTING
  (none)         ZoneAdded             WAIT
  (none)         ZoneAdded             CONNECTING
  WAIT           ConnectingStarted     CONNECTING
  CONNECTING     ZoneConnected         CONNECTED
  CONNECTED      DisconnectingStarted  DISCONNECTING
  DISCONNECTING  ZoneDisconnected      WAIT
  CONNECTED      ZoneDisabled          DISCONNECTING
  DISCONNECTING  ZoneDisconnected      DISCONNECTED
  DISCONNECTED   ZoneEnabled           CONNECTING
  CONNECTED      ZoneMigrationStarted  MIGRATING
  MIGRATING      ZoneMigrationCompleted  MIGRATED
  MIGRATING      ZoneMigrationCompleted  CONNECTED
  MIGRATED       ZoneMigrationStarted  MIGRATING
  CONNECTED      ZoneRemovalStarted    DELETING
  DELETING       ZoneRemoved           GONE
`;

describe('the declared state machines', () => {
  it.each([
    ['connection', CONNECTION],
    ['endpoint', ENDPOINT],
    ['gatewayEndpoint', ENDPOINT],
    ['endpointService', ENDPOINT_SERVICE],
    ['supportedRegion', SUPPORTED_REGION],
    ['names', NAMES],
  ])('%s: move as they are said to, and in no other way', (name, said) => {
    expect(declared(name)).toEqual(rowsOf(said));
  });

  it('zone: has the life that it is said to have', () => {
    expect(declared('zone')).toEqual(expect.arrayContaining([...rowsOf(ZONE)]));
  });

  it.each(Object.entries(stateMachines))('%s: gives each row once, and a reason for it', (name, { rows }) => {
    expect(new Set(declared(name)).size).toBe(declared(name).length);
    for (const { because } of rows) expect(because).not.toBe('');
  });

  it('are what docs/state-machines.md shows: npm run state-machines writes it', () => {
    expect(writtenPage()).toBe(stateMachinesPage());
  });
});
