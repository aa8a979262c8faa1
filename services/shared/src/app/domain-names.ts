/** Where the names of this installation are: `<region>.<suffix>`, from the region of the services. */
export type NameSpace = Readonly<{ region: string; suffix: string }>;

export type Named = Readonly<{ endpointId: string; serviceId: string }>;

/** The endpoint's name: answers with the addresses of its zones. */
export const endpointDomainName = ({ endpointId, serviceId }: Named, { region, suffix }: NameSpace): string =>
  `${endpointId}.${serviceId}.${region}.${suffix}`;

/** The name of one zone of an endpoint: answers with that zone's address. */
export const zoneDomainName = ({ endpointId, serviceId }: Named, zoneId: string, { region, suffix }: NameSpace) =>
  `${endpointId}-${zoneId}.${serviceId}.${region}.${suffix}`;
