/** One value of one series. Its timestamp and exemplar, if it has any, are left out. */
export type Sample = Readonly<{ name: string; labels: Readonly<Record<string, string>>; value: number }>;

/** This is not the text format of OpenMetrics, or not all of what was to be told. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

const END = /(^|\n)# EOF\n?$/;
const SAMPLE =
  /^([a-zA-Z_:][\w:]*)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})? (\S+)(?: [+-]?[\d.]+(?:[eE][+-]?\d+)?)?(?: # \{.*)?$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/y;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const INFINITY = /^([+-]?)inf(?:inity)?$/i;

/**
 * The samples of these names in a text of OpenMetrics 1.0.
 *
 * @throws Malformed
 */
export const readSamples = (text: string, names: ReadonlySet<string>): readonly Sample[] => {
  if (!END.test(text)) throw new Malformed('the text does not end with # EOF');
  return text.split('\n').flatMap((line) => {
    if (line === '' || line.startsWith('#')) return [];
    const [, name, labels = '', value = ''] = SAMPLE.exec(line) ?? [];
    if (name === undefined) throw new Malformed(`this is no sample: ${line.slice(0, 100)}`);
    return names.has(name) ? [{ name, labels: readLabels(labels), value: readNumber(value) }] : [];
  });
};

const readLabels = (text: string): Readonly<Record<string, string>> => {
  const labels: Record<string, string> = {};
  for (LABEL.lastIndex = 0; LABEL.lastIndex < text.length; ) {
    const [, name, value = ''] = LABEL.exec(text) ?? [];
    if (name === undefined) throw new Malformed(`these are no labels: ${text.slice(0, 100)}`);
    // Any other backslash is one.
    labels[name] = value.replace(/\\([n"\\])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
  }
  return labels;
};

const readNumber = (text: string): number => {
  if (NUMBER.test(text)) return Number(text);
  const [isInfinite, sign] = INFINITY.exec(text) ?? [];
  if (isInfinite) return sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^nan$/i.test(text)) return Number.NaN;
  throw new Malformed(`this is no number: ${text.slice(0, 100)}`);
};
