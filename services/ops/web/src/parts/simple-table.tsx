import type { ReactNode } from 'react';

type Options = Readonly<{
  title: string;
  heads: readonly string[];
  rows: readonly Readonly<{ key: string; cells: readonly ReactNode[] }>[];
  empty: string;
}>;

/** A table of a few rows, with its title. */
export const SimpleTable = ({ title, heads, rows, empty }: Options) => (
  <section className="wide">
    <h2>{title}</h2>
    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
    <section className="table-box short" tabIndex={0} aria-label={title}>
      <table>
        <caption className="visually-hidden">{title}</caption>
        <thead>
          <tr>
            {heads.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, cells }) => (
            <tr key={key}>
              {heads.map((name, index) => (
                <td key={name}>{cells[index] ?? '–'}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length === 0 && <p className="empty">{empty}</p>}
    </section>
  </section>
);
