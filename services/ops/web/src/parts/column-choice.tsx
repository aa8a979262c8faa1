import type { Column } from './data-table.tsx';
import { Menu } from './menu.tsx';

type Options<Row extends object> = Readonly<{
  columns: readonly Column<Row>[];
  shown: readonly Column<Row>[];
  /** Names of columns with commas; empty for those that are shown unless said otherwise. */
  onChoice: (names: string) => void;
}>;

/** The columns of these names in their own order; without any, those that are no extras. */
export const chosenColumns = <Row extends object>(
  columns: readonly Column<Row>[],
  names = '',
): readonly Column<Row>[] => {
  const chosen = columns.filter(({ id }) => names.split(',').includes(id));
  return chosen.length > 0 ? chosen : columns.filter(({ isExtra }) => !isExtra);
};

/** Which columns a table has. */
export const ColumnChoice = <Row extends object>({ columns, shown, onChoice }: Options<Row>) => {
  const toggle = (id: string): void => {
    const isShown = shown.some((column) => column.id === id);
    const next = columns.filter((column) => (column.id === id ? !isShown : shown.includes(column)));
    onChoice(next.map((column) => column.id).join(','));
  };
  return (
    <Menu name="Columns">
      {columns.map(({ id, header }) => (
        <label key={id} className="check">
          <input type="checkbox" checked={shown.some((column) => column.id === id)} onChange={() => toggle(id)} />
          {String(header)}
        </label>
      ))}
      <button type="button" onClick={() => onChoice('')}>
        As it was
      </button>
    </Menu>
  );
};
