import { describe, expect, it } from 'vitest';
import { line } from './csv.ts';

describe('a line of a table of text', () => {
  it('keeps what is in a cell together', () => {
    expect(line(['a,b', 'say "no"', 'two\nlines', null, undefined, 7, true])).toBe(
      '"a,b","say ""no""","two\nlines",,,7,true\r\n',
    );
  });

  it('is a formula to no spreadsheet', () => {
    for (const begin of ['=', '+', '-', '@', '\t', '\r']) expect(line([`${begin}1`])).toMatch(/^"?'/);
  });

  it('tells of a list its items, and of holds their reasons', () => {
    expect(
      line([
        ['h', 'i'],
        [{ reason: 'REJECTED' }, { reason: 'NO_ZONE' }],
      ]),
    ).toBe('h i,REJECTED NO_ZONE\r\n');
  });
});
