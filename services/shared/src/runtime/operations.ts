import { status } from '@grpc/grpc-js';
import type {
  OperationsServiceServer,
  RebuildReadModelResponse,
} from '@privatelink/proto/operations/v1/operations_service';
import { sql } from 'kysely';
import type { AnyEvent } from '../eventing/message.ts';
import { Rejected } from '../eventing/rejected.ts';
import type { ErrorCatalogue } from '../grpc/status.ts';
import { serverStream, unary } from '../grpc/unary.ts';
import { violations } from '../grpc/validate.ts';
import { NOWHERE, readCheckpoint } from '../postgres/checkpoint.ts';
import { LeaseLost } from '../postgres/lease.ts';
import type { LeasedSubscriptionDeps } from '../postgres/leased-subscription.ts';
import { orUnavailable } from '../postgres/or-unavailable.ts';
import type { ReadModel } from '../postgres/read-model.ts';
import { type OnProgress, type RebuildReport, rebuildReadModel } from '../postgres/rebuild-read-model.ts';
import { type DeadLetterDeps, deadLetterErrors, deadLetterOperations } from './dead-letter-operations.ts';
import { type SubscriptionDeps, subscriptionOperations } from './subscription-operations.ts';

/** A read model that this service projects, with its rebuild. */
export type Projected = Readonly<{
  name: string;
  version: number;
  table: string;
  rebuild: (onProgress: OnProgress, signal: AbortSignal) => Promise<RebuildReport>;
}>;

export const projected = <E extends AnyEvent, R, C extends string>(
  deps: LeasedSubscriptionDeps,
  model: ReadModel<E, R, C>,
): Projected => ({
  name: model.name,
  version: model.version,
  table: model.table,
  rebuild: (onProgress, signal) => {
    const until = AbortSignal.any([deps.signal, signal]);
    return rebuildReadModel({ ...deps, signal: until }, model, onProgress);
  },
});

export const operationsErrors = {
  ...deadLetterErrors,
  READ_MODEL_NOT_FOUND: {
    code: status.NOT_FOUND,
    message: ({ read_model }) => `this service has no read model ${read_model}`,
  },
  REBUILD_LOST: {
    code: status.ABORTED,
    message: ({ read_model }) => `another rebuild of ${read_model} took over; nothing was changed by this one`,
  },
} satisfies ErrorCatalogue;

type Reason = keyof typeof operationsErrors;

export type OperationsDeps = DeadLetterDeps & SubscriptionDeps;

/** What operators do to a service itself. */
export const operationsService = (deps: OperationsDeps, models: readonly Projected[]): OperationsServiceServer => ({
  ...deadLetterOperations(deps),
  ...subscriptionOperations(deps),

  listReadModels: unary(async () => ({
    readModels: await Promise.all(
      models
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
        .map(async ({ name, version, table }) => {
          const counting = sql<{ rows: bigint }>`select count(*) as rows from ${sql.id(table)}`.execute(deps.db);
          const count = await orUnavailable(counting);
          const position = (await readCheckpoint(deps.db, table)) ?? NOWHERE;
          return { name, version, position: position < 0n ? 0n : position, rowCount: BigInt(count.rows[0]?.rows ?? 0) };
        }),
    ),
  })),

  rebuildReadModel: serverStream(({ readModel }, { signal }) => {
    const v = violations();
    v.check('read_model', /^[a-z_]{1,63}$/.test(readModel), 'must be the name of a read model');
    v.throwIfAny();
    const facts = { read_model: readModel };
    const model = models.find(({ name }) => name === readModel);
    if (!model) throw new Rejected<Reason>('READ_MODEL_NOT_FOUND', facts);
    return rebuilding(model, signal);
  }),
});

async function* rebuilding({ name, rebuild }: Projected, signal: AbortSignal): AsyncIterable<RebuildReadModelResponse> {
  let told: RebuildReadModelResponse[] = [];
  let wake = Promise.withResolvers<void>();
  const onProgress: OnProgress = (position, targetPosition) => {
    // Only the newest matters to a caller who reads slowly.
    told = [{ told: { $case: 'progress', value: { position, targetPosition } } }];
    wake.resolve();
  };
  let isOver = false;
  const work = rebuild(onProgress, signal).finally(() => {
    isOver = true;
    wake.resolve();
  });
  work.catch(() => undefined);
  while (!isOver) {
    await wake.promise;
    wake = Promise.withResolvers<void>();
    yield* told.splice(0);
  }
  const report = await orUnavailable(work).catch((error: unknown) => {
    throw error instanceof LeaseLost ? new Rejected<Reason>('REBUILD_LOST', { read_model: name }) : error;
  });
  const { position, rows, differences, differing } = report;
  const value = {
    ...{ position, rowCount: BigInt(rows), differenceCount: BigInt(differences) },
    differingKeys: [...differing],
  };
  yield { told: { $case: 'report', value } };
}
