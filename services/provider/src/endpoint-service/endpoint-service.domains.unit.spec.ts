import { evolveAll } from '@privatelink/shared/eventing/decider';
import { deciderSpec } from '@privatelink/shared/testing/decider-spec';
import { describe, expect, it } from 'vitest';
import { endpointService } from './endpoint-service.decide.ts';
import * as the from './endpoint-service.fixtures.ts';
import { verifiedDomains } from './endpoint-service.ts';

const { givenAll } = deciderSpec(endpointService, the.at);
const name = 'db.example.com';
const declared = [...the.active, the.declaredAs(name)];
const verified = [...declared, the.verifiedAs(name)];
const failed = [...declared, the.proofMissedAs(name, 'NO_RECORD')];
const verifiedOf = (history: typeof declared) =>
  verifiedDomains(evolveAll(endpointService, endpointService.initial, history));

describe('a custom domain', () => {
  it('is declared, wildcards too', () => {
    givenAll(the.active).when(the.declare(name)).thenEvents(the.declaredAs(name));
    givenAll(declared)
      .when(the.declare(`*.${name}`))
      .thenEvents(the.declaredAs(`*.${name}`));
    givenAll(verified).when(the.declare(name)).thenNothing();
  });

  it('is verified, fails, and is verified again', () => {
    givenAll(declared).when(the.checked(name, null)).thenEvents(the.verifiedAs(name));
    givenAll(verified).when(the.checked(name, 'NO_RECORD')).thenEvents(the.proofMissedAs(name, 'NO_RECORD'));
    givenAll(failed).when(the.checked(name, 'OTHER_RECORD')).thenEvents(the.proofMissedAs(name, 'OTHER_RECORD'));
    givenAll(failed).when(the.checked(name, null)).thenEvents(the.verifiedAs(name));
    givenAll(declared).when(the.checked('other.example.com', null)).thenRejected('CUSTOM_DOMAIN_NOT_FOUND');
  });

  it('is not judged by a check that is older than the last one, or than its declaration', () => {
    const asOf = declared.length;
    givenAll(declared)
      .when(the.checked(name, null, asOf))
      .thenEvents(the.verifiedAs(name));
    // Who found the record, and is late, overtakes nobody who found it gone; nor the other way round.
    givenAll(failed)
      .when(the.checked(name, null, asOf))
      .thenNothing();
    givenAll(verified)
      .when(the.checked(name, 'NO_RECORD', asOf))
      .thenNothing();
    givenAll([...verified, the.proofMissedAs(name, 'NO_RECORD')])
      .when(the.checked(name, null, verified.length))
      .thenNothing();
    const again = [...declared, the.withdrawnAs(name), the.declaredAs(name)];
    givenAll(again)
      .when(the.checked(name, null, asOf))
      .thenNothing();
    givenAll(again)
      .when(the.checked(name, null, again.length))
      .thenEvents(the.verifiedAs(name));
    givenAll([...declared, the.withdrawnAs(name)])
      .when(the.checked(name, null, asOf))
      .thenRejected('CUSTOM_DOMAIN_NOT_FOUND');
  });

  it('is judged by a check during which only other things happened', () => {
    const other = [...declared, the.declaredAs('other.example.com'), the.verifiedAs('other.example.com')];
    givenAll(other)
      .when(the.checked(name, null, declared.length))
      .thenEvents(the.verifiedAs(name));
  });

  it('is removed once, and may be declared again', () => {
    const removed = [...verified, the.withdrawnAs(name)];
    givenAll(verified).when(the.withdraw(name)).thenEvents(the.withdrawnAs(name));
    givenAll(removed).when(the.withdraw(name)).thenNothing();
    givenAll(removed).when(the.declare(name)).thenEvents(the.declaredAs(name));
  });

  it('is one that endpoints may have only while it is verified', () => {
    expect(verifiedOf(declared)).toEqual([]);
    expect(verifiedOf([...verified, the.declaredAs('*.a.example.com'), the.verifiedAs('*.a.example.com')])).toEqual([
      '*.a.example.com',
      name,
    ]);
    expect(verifiedOf([...verified, the.proofMissedAs(name, 'OTHER_RECORD')])).toEqual([]);
    expect(verifiedOf([...verified, the.withdrawnAs(name)])).toEqual([]);
  });

  it('is of a service that endpoints with names connect to, and of at most 20', () => {
    const gateway = [the.createdAs({ serviceType: 'GATEWAY_LOAD_BALANCER' }), the.activated];
    givenAll(gateway).when(the.declare(name)).thenRejected('SERVICE_TYPE_MISMATCH', { required: 'INTERFACE' });
    const twenty = Array.from({ length: 20 }, (_, index) => the.declaredAs(`n${index}.example.com`));
    givenAll([...the.active, ...twenty])
      .when(the.declare(name))
      .thenRejected('QUOTA_EXCEEDED', { limit: '20', current: '20', field: 'domain_name' });
  });

  it.each([the.declare('x.example.com'), the.checked(name, null), the.withdraw(name)])(
    'stays as it is while the service is locked or being deleted: $type',
    (command) => {
      givenAll([...declared, the.lockedAs()])
        .when(command)
        .thenRejected('SERVICE_LOCKED');
      const deleting = [...declared, the.deletionStartedAs('ACTIVE')];
      givenAll(deleting).when(command).thenRejected('SERVICE_NOT_ACTIVE', { status: 'DELETING' });
    },
  );
});
