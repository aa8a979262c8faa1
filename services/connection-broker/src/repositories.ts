import type { Repository } from '@privatelink/shared/app/repository';
import type { Allocation, AllocationCommand, AllocationEvent } from './allocation/allocation.ts';
import type { ConnectionCommand } from './connection/connection.commands.ts';
import type { Connection, ConnectionEvent } from './connection/connection.ts';
import type { FanOut, FanOutCommand, FanOutEvent } from './fan-out/fan-out.ts';
import type { ScopeFacts, ScopeFactsCommand, ScopeFactsEvent } from './scope-facts/scope-facts.ts';

/** The aggregates of this service. */
export type Repositories = Readonly<{
  connections: Repository<ConnectionCommand, ConnectionEvent, Connection>;
  scopes: Repository<ScopeFactsCommand, ScopeFactsEvent, ScopeFacts>;
  fanOuts: Repository<FanOutCommand, FanOutEvent, FanOut>;
  allocations: Repository<AllocationCommand, AllocationEvent, Allocation>;
}>;
