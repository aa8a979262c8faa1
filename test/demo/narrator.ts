/** One status change, or one thing that somebody did, as it happens. */
export type Line = Readonly<{
  time: string;
  kind: 'status' | 'act' | 'check';
  resource: string;
  from: string;
  to: string;
  reason: string;
  event: string;
  dns: string;
}>;

export type Narrator = Readonly<{
  tell: (line: Partial<Line> & Pick<Line, 'kind'>) => void;
  /** Somebody does something. */
  act: (what: string) => void;
  /** Something is as it is to be. */
  checked: (what: string) => void;
  title: (text: string) => void;
}>;

const pad = (text: string, width: number): string => text.padEnd(width).slice(0, Math.max(width, text.length));

/** Prints lines for people, or as JSON lines. */
export const createNarrator = (json: boolean, write = (text: string) => process.stdout.write(text)): Narrator => {
  const tell: Narrator['tell'] = (partial) => {
    const line: Line = {
      time: new Date().toISOString(),
      ...{ resource: '', from: '', to: '', reason: '', event: '', dns: '' },
      ...partial,
    };
    write(json ? `${JSON.stringify(line)}\n` : `${toText(line)}\n`);
  };
  return {
    title: (text) => (json ? undefined : void write(`\n${text}\n`)),
    tell,
    act: (reason) => tell({ kind: 'act', reason }),
    checked: (reason) => tell({ kind: 'check', reason }),
  };
};

const toText = ({ time, kind, resource, from, to, reason, event, dns }: Line): string => {
  const clock = time.slice(11, 23);
  if (kind === 'act') return `${clock}  > ${reason}`;
  if (kind === 'check') return `${clock}  = ${reason}`;
  const moved = `${from || '(none)'} -> ${to}`;
  return `${clock}  ${pad(resource, 15)} ${pad(moved, 32)} ${pad(reason, 50)} ${pad(event, 5)} ${dns}`.trimEnd();
};
