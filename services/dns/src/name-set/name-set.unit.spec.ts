import { deciderSpec } from '@privatelink/shared/testing/decider-spec';
import { describe, it } from 'vitest';
import { at, moved, put, reaffirmed } from './name-set.fixtures.ts';
import { nameSet } from './name-set.ts';

const { given } = deciderSpec(nameSet, at);

const reserved = moved('NamesReserved', null, 1);
const published = moved('NamesPublished', 'WITHDRAWN', 1);

describe('names that nobody asked for yet', () => {
  it('are reserved: they exist and answer no address', () =>
    given()
      .when(put('WITHDRAWN', 1))
      .thenEvents(moved('NamesReserved', null, 1)));
  it('are published at once where nothing was reserved', () =>
    given()
      .when(put('PUBLISHED', 1))
      .thenEvents(moved('NamesPublished', null, 1)));
  it('are removed before they came, so that a late request finds them gone', () =>
    given()
      .when(put('REMOVED', 1))
      .thenEvents(moved('NamesRemoved', null, 1)));
  it('take any first generation, also 0', () =>
    given()
      .when(put('WITHDRAWN', 0))
      .thenEvents(moved('NamesReserved', null, 0)));
});

describe('within one generation names only go forward', () => {
  it('from reserved to published', () => given(reserved).when(put('PUBLISHED', 1)).thenEvents(published));
  it('from reserved to removed', () =>
    given(reserved)
      .when(put('REMOVED', 1))
      .thenEvents(moved('NamesRemoved', 'WITHDRAWN', 1)));
  it('from published to removed', () =>
    given(reserved, published)
      .when(put('REMOVED', 1))
      .thenEvents(moved('NamesRemoved', 'PUBLISHED', 1)));
  it('and never back: a late reservation withdraws nothing', () =>
    given(reserved, published).when(put('WITHDRAWN', 1)).thenNothing());
});

describe('within one generation and state', () => {
  it('what is said by a later health of the zones counts', () =>
    given(reserved, published)
      .when(put('PUBLISHED', 1, 2))
      .thenEvents(reaffirmed(1, 2)));
  it('what is said by an earlier one, or the same again, changes nothing', () => {
    for (const late of [0, 1, 2])
      given(reserved, published, reaffirmed(1, 2))
        .when(put('PUBLISHED', 1, late))
        .thenNothing();
  });
  it('and it is the state that counts first', () =>
    given(reserved, published)
      .when(put('WITHDRAWN', 1, 9))
      .thenNothing());
});

describe('a higher generation', () => {
  it('withdraws', () =>
    given(reserved, published)
      .when(put('WITHDRAWN', 2))
      .thenEvents(moved('NamesWithdrawn', 'PUBLISHED', 2)));
  it('publishes again what was withdrawn', () =>
    given(reserved, published, moved('NamesWithdrawn', 'PUBLISHED', 2))
      .when(put('PUBLISHED', 3))
      .thenEvents(moved('NamesPublished', 'WITHDRAWN', 3)));
  it('with the same state is kept, with its names and without a move', () =>
    given(reserved, published).when(put('PUBLISHED', 2)).thenEvents(reaffirmed(2)));
  it('that was reaffirmed wards off what is older than it', () =>
    given(reserved, published, reaffirmed(3)).when(put('WITHDRAWN', 2)).thenNothing());
});

describe('a lower generation changes nothing', () => {
  it.each(['WITHDRAWN', 'PUBLISHED', 'REMOVED'] as const)('%s', (state) =>
    given(reserved, moved('NamesPublished', 'WITHDRAWN', 5))
      .when(put(state, 4))
      .thenNothing(),
  );
});

describe('names that were removed', () => {
  it.each(['WITHDRAWN', 'PUBLISHED', 'REMOVED'] as const)('stay so for ever, whatever comes: %s', (state) =>
    given(reserved, moved('NamesRemoved', 'WITHDRAWN', 2))
      .when(put(state, 99))
      .thenNothing(),
  );
});
