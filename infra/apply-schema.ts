// The JSON Schema of what `plctl apply` reads, from the schemas that it reads by.
import { readFileSync, writeFileSync } from 'node:fs';
import { jsonSchema } from './cli/src/apply/schema.ts';

const file = new URL('../docs/apply.schema.json', import.meta.url);

export const applySchema = (): string => `${JSON.stringify(jsonSchema(), null, 2)}\n`;

export const writtenApplySchema = (): string => readFileSync(file, 'utf8');

if (import.meta.main) writeFileSync(file, applySchema());
