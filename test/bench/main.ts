import { BenchError } from './bench-error.ts';
import { bulk } from './bulk.ts';
import { ops } from './ops.ts';
import { slice } from './slice.ts';
import { traffic } from './traffic.ts';

/** Each gives the text that says how it went. */
const benches: Readonly<Record<string, (count?: number) => Promise<string>>> = {
  bulk: async (connections) => JSON.stringify(await bulk(connections), null, 2),
  ops,
  slice: async () => JSON.stringify(await slice(), null, 2),
  traffic,
};

const [name = 'slice', count] = process.argv.slice(2);
const bench = benches[name];
if (bench) {
  try {
    console.log(await bench(count === undefined ? undefined : Number(count)));
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    console.error(error.message);
    process.exitCode = error.exitCode;
  }
} else {
  console.error(`there is no benchmark ${name}; there are: ${Object.keys(benches).join(', ')}`);
  process.exitCode = 2;
}
