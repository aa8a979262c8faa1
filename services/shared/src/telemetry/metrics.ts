import { Counter, Gauge, Histogram, type OpenMetricsContentType, Registry } from 'prom-client';

/**
 * All that a process measures. Labels have few values, from the code, the contract or the configuration: never the id of
 * a resource, an account or what a caller wrote. Durations are in seconds.
 */
export const registry = new Registry<OpenMetricsContentType>();
registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
const registers = [registry];

const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
  new Counter({ name: `privatelink_${name}`, help, labelNames: [...labelNames], registers });
const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
  new Gauge({ name: `privatelink_${name}`, help, labelNames: [...labelNames], registers });
const histogram = <L extends string>(name: string, help: string, labelNames: readonly L[], buckets = SHORT) =>
  new Histogram({ name: `privatelink_${name}`, help, labelNames: [...labelNames], buckets, registers });

const SHORT = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const LONG = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

export const rpcs = {
  served: counter('rpc', 'Calls served, by their end; reason: ErrorInfo, empty where it went well', [
    'method',
    'code',
    'reason',
  ]),
  duration: histogram('rpc_duration_seconds', 'Time to answer a unary call', ['method', 'code']),
  streams: gauge('rpc_streams', 'Streams open now', ['method']),
  called: histogram('client_rpc_duration_seconds', 'Time that a unary call to another service took', [
    'method',
    'code',
  ]),
} as const;

export const commands = {
  decided: counter('commands', 'Commands; outcome: appended, unchanged, repeated or refused', [
    'category',
    'command',
    'outcome',
  ]),
  events: counter('events', 'Events appended', ['category', 'event']),
  statusChanges: counter('status_changes', 'Status changes appended', ['category', 'from', 'to']),
  append: histogram('append_duration_seconds', 'Time that an append took, conflicts too', ['category']),
  conflicts: counter('append_conflicts', 'Appends that another writer came before', ['category']),
} as const;

export const subscriptions = {
  position: gauge('subscription_position', 'Up to where everything is handled, of the event store or a feed', [
    'subscription',
  ]),
  delay: histogram(
    'subscription_delay_seconds',
    'From when an event was recorded until it was handled',
    ['subscription'],
    LONG,
  ),
  restarts: counter('subscription_restarts', 'Subscriptions that began again after trouble', ['subscription']),
  tail: gauge('event_store_tail_position', 'Position of the last event of the event store'),
} as const;

export const reactors = {
  work: histogram('reactor_work_duration_seconds', 'Time of one look; outcome: settled, later or failed', [
    'reactor',
    'outcome',
  ]),
  waiting: gauge('reactor_keys', 'What is looked at or waits to be now', ['reactor']),
  failing: gauge('reactor_failing_keys', 'Keys whose work has failed ten times or more in a row', ['reactor']),
} as const;

export const readModels = {
  rows: gauge('rows', 'Rows of a read model, by status', ['read_model', 'status']),
  oldest: gauge('oldest_status_age_seconds', 'How long ago the status of the row changed that has it longest', [
    'read_model',
    'status',
  ]),
} as const;

export const servers = {
  postgres: gauge('postgres_connections', 'Connections to PostgreSQL; state: busy, idle or wanted', ['state']),
  nats: gauge('nats_connected', '1 while connected to NATS, else 0'),
  announced: counter('announcements', 'Messages that JetStream took'),
  deadLetters: gauge('dead_letters', 'Messages set aside that wait for an operator', ['consumer']),
} as const;

export const http = {
  duration: histogram('http_request_duration_seconds', 'Time to answer a request of a browser; route: as declared', [
    'method',
    'route',
    'code',
  ]),
  live: gauge('http_live_streams', 'Streams of events open to browsers now'),
} as const;

export const queries = counter('dns_queries', 'DNS queries answered', ['transport', 'type', 'code']);

export const forwarding = {
  interfaces: gauge('forwarding_interfaces', 'Interfaces of the zone, by what they should do and whether they do', [
    'desired',
    'confirmed',
  ]),
  targets: gauge('forwarding_targets', 'Targets of the zone, by whether they answer', ['state']),
  impaired: gauge(
    'forwarding_impaired_interfaces',
    'Interfaces of the zone with a problem; problem: not in place, no target or limit not kept',
    ['problem'],
  ),
  began: gauge('forwarding_shift_start_time_seconds', 'When the agent began to work in its zone; 0: it does not', [
    'zone',
    'agent',
  ]),
  reloads: counter('forwarding_reloads', 'Times that HAProxy took another configuration'),
  rounds: histogram('forwarding_round_duration_seconds', 'Time to put in place what has changed', ['outcome']),
} as const;
