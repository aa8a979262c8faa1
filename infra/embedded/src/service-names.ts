/** The services by the names they go by in addresses, ports and processes, and the folder of each. */
export const serviceFolders = {
  provider: 'provider',
  consumer: 'consumer',
  broker: 'connection-broker',
  dns: 'dns',
} as const;

export type ServiceName = keyof typeof serviceFolders;

/** A zone agent is none of the services, but is run as they are: one for each zone. */
export const agentName = 'data-plane';

/** The operators' service is none of the services either: nobody asks it, and what it shows is what they announce. */
export const opsName = 'ops';

/** All programs of this repository that the system runs. */
export type ProgramName = ServiceName | typeof agentName | typeof opsName;

export const programFolders: Readonly<Record<ProgramName, string>> = {
  ...serviceFolders,
  [agentName]: 'data-plane',
  [opsName]: 'ops',
};

/** In the order they are started; they are stopped the other way round. */
export const serviceNames: readonly ServiceName[] = ['provider', 'consumer', 'broker', 'dns'];
