import { evolveAll } from '@privatelink/shared/eventing/decider';
import { deciderSpec } from '@privatelink/shared/testing/decider-spec';
import { describe, expect, it } from 'vitest';
import { type FanOutCommand, type FanOutEvent, fanOut } from './fan-out.ts';

const { given, at } = deciderSpec(fanOut);

const start = (factsVersion: number, position = '70'): FanOutCommand => ({
  type: 'StartFanOut',
  data: { factsVersion, position },
});
const page = (factsVersion: number, cursor: string, told: number): FanOutCommand => ({
  type: 'RecordPage',
  data: { factsVersion, cursor, told },
});
const complete = (factsVersion: number): FanOutCommand => ({ type: 'CompleteFanOut', data: { factsVersion } });
const started = (factsVersion: number, position = '70'): FanOutEvent => ({
  type: 'FanOutStarted',
  data: { factsVersion, position, at },
});
const progressed = (factsVersion: number, cursor: string, told: number): FanOutEvent => ({
  type: 'FanOutProgressed',
  data: { factsVersion, cursor, told, at },
});
const completed = (factsVersion: number, told: number): FanOutEvent => ({
  type: 'FanOutCompleted',
  data: { factsVersion, told, at },
});

describe('a fan-out', () => {
  it('starts, goes on page by page and completes', () => {
    given().when(start(3)).thenEvents(started(3));
    given(started(3))
      .when(page(3, 'ep-b', 500))
      .thenEvents(progressed(3, 'ep-b', 500));
    given(started(3), progressed(3, 'ep-b', 500))
      .when(page(3, 'ep-c', 700))
      .thenEvents(progressed(3, 'ep-c', 700));
    given(started(3), progressed(3, 'ep-b', 500))
      .when(complete(3))
      .thenEvents(completed(3, 500));
  });

  it('completes also when it has nobody to tell', () =>
    given(started(3)).when(complete(3)).thenEvents(completed(3, 0)));

  it('of a newer version supersedes the older one and starts at the first page', () => {
    const history = [started(3), progressed(3, 'ep-b', 500)];
    given(...history)
      .when(start(5, '90'))
      .thenEvents(started(5, '90'));
    given(...history, started(5))
      .when(page(5, 'ep-a', 2))
      .thenEvents(progressed(5, 'ep-a', 2));
    expect(evolveAll(fanOut, fanOut.initial, [...history, started(5, '90')])).toEqual({
      factsVersion: 5,
      position: '90',
      cursor: '',
      told: 0,
      completed: false,
    });
  });

  it('of the same or an older version does not start again', () => {
    given(started(3)).when(start(3)).thenNothing();
    given(started(3), completed(3, 0)).when(start(3)).thenNothing();
    given(started(3)).when(start(2)).thenNothing();
  });

  it('takes no page twice, none that is behind, none of another version and none after the end', () => {
    given(started(3), progressed(3, 'ep-b', 500))
      .when(page(3, 'ep-b', 500))
      .thenNothing();
    given(started(3), progressed(3, 'ep-b', 500))
      .when(page(3, 'ep-a', 400))
      .thenNothing();
    given(started(3), started(5))
      .when(page(3, 'ep-b', 500))
      .thenNothing();
    given(started(3))
      .when(page(5, 'ep-b', 500))
      .thenNothing();
    given(started(3), completed(3, 0))
      .when(page(3, 'ep-b', 500))
      .thenNothing();
    given()
      .when(page(0, 'ep-b', 500))
      .thenNothing();
  });

  it('completes once, and not for a version that was superseded', () => {
    given(started(3), started(5)).when(complete(3)).thenNothing();
    given(started(3), completed(3, 0)).when(complete(3)).thenNothing();
    given().when(complete(0)).thenNothing();
  });
});
