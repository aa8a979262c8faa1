import { type Reactor, runReactor } from '../app/run-reactor.ts';
import { claimCheckpoint, moveCheckpoint, NOWHERE } from './checkpoint.ts';
import { holdLease } from './lease.ts';
import type { LeasedSubscriptionDeps } from './leased-subscription.ts';
import { workRows } from './work.ts';

export const leaseOfReactor = ({ name }: Pick<Reactor, 'name'>): string => `reactor.${name}`;

/** Runs a reactor, with work rows and checkpoint in PostgreSQL, while this process holds its lease. */
export const runLeasedReactor = (deps: LeasedSubscriptionDeps, reactor: Reactor): Promise<void> => {
  const { db } = deps;
  const name = leaseOfReactor(reactor);
  return holdLease({ ...deps, name }, async ({ epoch, signal }) => {
    let position = NOWHERE;
    await runReactor(
      {
        ...deps,
        signal,
        rows: workRows(db, reactor.name, { checkpoint: name, epoch }),
        checkpoint: {
          load: async () => {
            position = await claimCheckpoint({
              ...deps,
              name,
              epoch,
              drop: async (tx) => void (await tx.deleteFrom('work').where('reactor', '=', reactor.name).execute()),
            });
            return position === NOWHERE ? null : position;
          },
          save: async (to) => {
            await moveCheckpoint(db, { name, from: position, to, epoch });
            position = to;
          },
        },
      },
      reactor,
    );
  });
};
