import type { ReactNode } from 'react';

/** A name and its value in a list of them. */
export const Fact = ({ name, value }: Readonly<{ name: string; value: ReactNode }>) => (
  <>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </>
);
