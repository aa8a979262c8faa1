import type { Preview } from '@privatelink/proto/common/v1/common';
import type { Rehearsal } from '../eventing/rehearsal.ts';

const MAX_EVENTS = 1_000;

export const toPreview = (rehearsal: Rehearsal): Preview => ({
  events: rehearsal.planned
    .slice(0, MAX_EVENTS)
    .map(({ transition, ...event }) => ({ ...event, transition: transition ?? undefined })),
  connectionIds: [...rehearsal.connectionIds],
  eniIds: [...rehearsal.eniIds],
  domainNames: [...rehearsal.domainNames],
  truncated: rehearsal.truncated.value || rehearsal.planned.length > MAX_EVENTS,
});

/** Takes in what another service would do. */
export const joinPreview = (rehearsal: Rehearsal | undefined, response: { preview?: Preview | undefined }): void => {
  const { preview } = response;
  if (!rehearsal || !preview) return;
  for (const { transition, ...event } of preview.events) {
    rehearsal.planned.push({ ...event, transition: transition ?? null });
  }
  for (const id of preview.connectionIds) rehearsal.connectionIds.add(id);
  for (const id of preview.eniIds) rehearsal.eniIds.add(id);
  for (const name of preview.domainNames) rehearsal.domainNames.add(name);
  if (preview.truncated) rehearsal.truncated.value = true;
};
