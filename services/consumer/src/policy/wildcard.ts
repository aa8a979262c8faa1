/** Whether all of a text is what a pattern says: `*` is any run of characters, also none, and `?` is exactly one. */
export const matchesPattern = (pattern: string, text: string): boolean => {
  const wanted = [...pattern];
  const given = [...text];
  let at = 0;
  // The last `*`, and how much of the text it takes so far: on a mismatch it takes one character more.
  let star = -1;
  let taken = 0;
  for (let index = 0; index < given.length; ) {
    if (at < wanted.length && wanted[at] === '*') {
      star = at++;
      taken = index;
    } else if (at < wanted.length && (wanted[at] === '?' || wanted[at] === given[index])) {
      at++;
      index++;
    } else if (star >= 0) {
      at = star + 1;
      index = ++taken;
    } else {
      return false;
    }
  }
  return wanted.slice(at).every((character) => character === '*');
};
