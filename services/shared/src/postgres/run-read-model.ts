import { sql } from 'kysely';
import type { AnyEvent } from '../eventing/message.ts';
import { claimCheckpoint, moveCheckpoint, NOWHERE } from './checkpoint.ts';
import type { Db } from './connect.ts';
import { type LeasedSubscriptionDeps, positionOf, runLeasedSubscription } from './leased-subscription.ts';
import { applyEvents, ensureReadModel, type ReadModel, readEvents } from './read-model.ts';
import { committed } from './read-position.ts';

export const leaseOf = (model: Readonly<{ table: string }>): string => `readModel.${model.table}`;

const STOP_AFTER_FAILURES = 10;
const CHECKPOINT_EVERY_MS = 1000;

/** Projects events into the read model's table while this process holds its lease, until the signal aborts. */
export const runReadModel = async <E extends AnyEvent, R, C extends string>(
  deps: LeasedSubscriptionDeps,
  model: ReadModel<E, R, C>,
): Promise<void> => {
  const { db, clock } = deps;
  await ensureReadModel(db, model);
  let epoch = 0n;
  /** As committed. */
  let position = NOWHERE;
  /** Examined, and found to be nothing of ours beyond the committed position. */
  let examined = NOWHERE;
  let savedAt = 0;

  const saveExamined = async () => {
    if (examined <= position) return;
    await moveCheckpoint(db, { name: model.table, from: position, to: examined, epoch });
    saved(examined);
  };

  const saved = (to: bigint) => {
    position = to;
    examined = to;
    savedAt = clock.now().getTime();
    committed(model, to);
  };

  await runLeasedSubscription(deps, {
    name: leaseOf(model),
    prefixes: model.prefixes,
    onFailure: { stopAfter: STOP_AFTER_FAILURES },
    resumeAfter: async (claimedBy) => {
      epoch = claimedBy;
      const drop = async (tx: Db) => void (await sql`delete from ${sql.id(model.table)}`.execute(tx));
      position = await claimCheckpoint({ ...deps, name: model.table, epoch, drop });
      examined = position;
      return position === NOWHERE ? null : position;
    },
    handle: async (messages) => {
      const from = position;
      const events = messages.flatMap((message) =>
        message.kind === 'event' && message.event.position > from ? message.event : [],
      );
      const to = messages.reduce((highest, message) => max(highest, positionOf(message) ?? highest), examined);
      const recorded = await readEvents(model, events);
      if (recorded.length === 0) {
        examined = to;
        // Somebody may wait for what is found to be nothing of ours.
        if (events.length > 0 || clock.now().getTime() - savedAt >= CHECKPOINT_EVERY_MS) await saveExamined();
        return;
      }
      await db.transaction().execute(async (tx) => {
        await moveCheckpoint(tx, { name: model.table, from, to, epoch });
        await applyEvents(tx, model, model.table, recorded);
      });
      saved(to);
    },
    idle: saveExamined,
  });
};

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
