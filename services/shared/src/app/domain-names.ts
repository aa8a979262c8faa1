/** An endpoint's names are below its own region, `<region>.<suffix>`, wherever its service is. */
export type Named = Readonly<{ endpointId: string; serviceId: string; endpointRegion: string }>;

/** The endpoint's name: answers with the addresses of its zones. */
export const endpointDomainName = ({ endpointId, serviceId, endpointRegion }: Named, suffix: string): string =>
  `${endpointId}.${serviceId}.${endpointRegion}.${suffix}`;

/** The name of one zone of an endpoint: answers with that zone's address. */
export const zoneDomainName = ({ endpointId, serviceId, endpointRegion }: Named, zoneId: string, suffix: string) =>
  `${endpointId}-${zoneId}.${serviceId}.${endpointRegion}.${suffix}`;
