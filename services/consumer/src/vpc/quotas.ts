/** How much of each an account may have of what this service keeps; the configuration may say otherwise. */
export const consumerQuotas = { endpointsPerVpc: 1_000, zonesPerEndpoint: 10, securityGroupsPerEndpoint: 10 };

export type ConsumerQuotas = Readonly<typeof consumerQuotas>;
