import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export const repository = fileURLToPath(new URL('../../..', import.meta.url));
export const composeDirectory = `${repository}infra/compose/`;

/** What the checks read of an entry of compose.yaml. */
export type ComposeEntry = Readonly<{
  image: string;
  command?: readonly string[];
  environment?: Readonly<Record<string, string>>;
  ports?: readonly string[];
  volumes?: readonly (string | Readonly<{ source: string; target: string; read_only: boolean }>)[];
  network_mode?: string;
  tmpfs?: readonly string[];
  networks?: Readonly<{ default: Readonly<{ aliases: readonly string[] }> }>;
  depends_on?: Readonly<Record<string, Readonly<{ condition: string }>>>;
  healthcheck?: Readonly<{ test: readonly string[] }>;
  profiles?: readonly string[];
}>;

type ComposeFile = Readonly<{ services: Readonly<Record<string, ComposeEntry>> }>;

/** The entries of compose.yaml, with everything merged that they share. */
export const composeEntries = (
  parse(readFileSync(`${composeDirectory}compose.yaml`, 'utf8'), { merge: true }) as ComposeFile
).services;

export const imageOf = (entry: string): string => composeEntries[entry]?.image ?? '';
