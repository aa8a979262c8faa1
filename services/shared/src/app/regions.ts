/** A region and its zones; each zone is of one region. */
export type Region = Readonly<{ regionId: string; zoneIds: readonly string[] }>;

type Configured = Readonly<{ region: string; zones: readonly string[]; otherRegions: readonly Region[] }>;

/** All of an installation, that of its services first. */
export const allRegions = ({ region, zones, otherRegions }: Configured): readonly Region[] => [
  { regionId: region, zoneIds: zones },
  ...otherRegions,
];

export const regionOfZone = (regions: readonly Region[], zoneId: string): string =>
  regions.find(({ zoneIds }) => zoneIds.includes(zoneId))?.regionId ?? '';

export const allZones = (regions: readonly Region[]): readonly string[] => regions.flatMap(({ zoneIds }) => zoneIds);
