import type { Repository } from '@privatelink/shared/app/repository';
import type { Reactor } from '@privatelink/shared/app/run-reactor';
import type { Decider } from '@privatelink/shared/eventing/decider';
import type { AnyCommand, AnyEvent } from '@privatelink/shared/eventing/message';
import type { Connected } from '@privatelink/shared/grpc/client';
import type { ReadModel } from '@privatelink/shared/postgres/read-model';

/** A fault planted in the services' own code, to see whether the checks notice. */
export type Mutation = Readonly<{
  decider?: <C extends AnyCommand, E extends AnyEvent, S>(decider: Decider<C, E, S>) => Decider<C, E, S>;
  repository?: <C extends AnyCommand, E extends AnyEvent, S>(of: Repository<C, E, S>) => Repository<C, E, S>;
  readModel?: <E extends AnyEvent, R, C extends string>(model: ReadModel<E, R, C>) => ReadModel<E, R, C>;
  reactor?: (reactor: Reactor) => Reactor;
  client?: <D>(from: string, client: Connected<D>) => Connected<D>;
}>;
