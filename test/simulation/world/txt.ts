import type { TxtAnswer } from '../../../services/provider/src/dispatch/txt-records.ts';
import type { Trouble } from './trouble.ts';

/** TXT records that somebody put into DNS, one at a name; a resolver may fail to say so. */
export type Txt = Readonly<{
  lookUp: (name: string) => TxtAnswer;
  set: (name: string, text: string | null) => void;
}>;

export const createTxt = (trouble: Trouble): Txt => {
  const texts = new Map<string, string>();
  return {
    lookUp: (name) => {
      if (trouble.strikes('resolverFails')) return { kind: 'unknown', why: 'ESERVFAIL' };
      const text = texts.get(name);
      return text === undefined ? { kind: 'absent' } : { kind: 'found', texts: [text] };
    },
    set: (name, text) => {
      if (text === null) texts.delete(name);
      else texts.set(name, text);
    },
  };
};
