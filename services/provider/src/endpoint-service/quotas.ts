/** How much of each an account may have of what this service keeps; the configuration may say otherwise. */
export const providerQuotas = {
  services: 200,
  endpointsPerService: 10_000,
  resourcesPerService: 500,
  resourcesPerZone: 100,
  resourcesAtCreation: 10,
  serviceUsers: 1_000,
  /** Of a connection from another region. */
  crossRegionMbps: 1_000,
};

export type ProviderQuotas = Readonly<typeof providerQuotas>;
