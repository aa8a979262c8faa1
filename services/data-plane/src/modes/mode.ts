import type { Listener } from '@privatelink/proto/broker/v1/connection';
import type { Ingress } from '../desired/ingress.ts';
import type { Interface } from '../desired/interface.ts';
import type { Bind } from '../haproxy/forward.ts';

/** Where an interface is on this machine. */
export type Placed = Readonly<{
  /** What to listen on, for each of its ports. */
  binds: ReadonlyMap<number, readonly Bind[]>;
  listeners: readonly Listener[];
  /** From where its targets are dialled; null: from the agent's own network. */
  targetNamespace: string | null;
  /** The address from which they are; null: whichever that network gives. */
  source: string | null;
  /** Which clients are let in; null: all. */
  ingress: Ingress | null;
}>;

/** An interface that cannot be placed waits; the others do not. */
export type Placement = Placed | Readonly<{ waitsFor: string }>;

/** How the interfaces of VPCs exist on this machine. Its calls do not overlap. */
export type Mode = Readonly<{
  name: 'loopback' | 'namespaces';
  /**
   * Makes that all of these are there, by connection id. Idempotent. When `hurry` aborts it leaves the rest waiting:
   * something is to be closed at once.
   */
  place: (interfaces: readonly Interface[], hurry: AbortSignal) => Promise<ReadonlyMap<string, Placement>>;
  /** Nothing can listen on this port of an interface as it was placed. */
  refuse: (connectionId: string, port: number) => void;
  /** Looks whether what was placed is still so, or what was waited for is there: then `place` has something to do. */
  check: (hurry: AbortSignal) => Promise<boolean>;
  /** Takes off what was ever put on for interfaces other than these, also by agents before this one. */
  retain: (interfaces: readonly Interface[]) => Promise<void>;
}>;
