/**
 * PostgreSQL as our own code writes it, said in SQLite's words. Only what is used is known: anything else fails as
 * SQLite's own syntax error, so that nothing is silently taken for something else.
 */
export const toSqlite = (sql: string): string => {
  const text = sql.replace(/\s+/g, ' ').trim();
  if (/^create (schema|index)/.test(text)) return 'select 1 where false';
  return REWRITES.reduce<string>((rest, [pattern, by]) => rest.replace(pattern, by as string), text);
};

type Rewrite = readonly [RegExp, string | ((...match: string[]) => string)];

const REWRITES: readonly Rewrite[] = [
  [
    /jsonb_to_recordset\((\$\d+)::jsonb\) as given \((.*?)\) on conflict/g,
    (_all, parameter = '', definitions = '') => `${recordset(parameter, definitions)} where true on conflict`,
  ],
  [/from pg_tables where schemaname = current_schema\(\) and tablename =/g, 'from sqlite_master where name ='],
  [/\bselect from\b/g, 'select 1 from'],
  [/ for share\b/g, ''],
  [/make_interval\(secs => (\$\d+)\)/g, '($1 * 1000)'],
  [/to_json\(updated_at\) #>> '\{\}' as "updatedAt"/g, 'updated_at as "updatedAtText"'],
  [/delete from work using ours where/g, 'delete from work where exists (select 1 from ours) and'],
  [/ from ours on conflict/g, ' from ours where true on conflict'],
  [/("\w+") && (\$\d+)::text\[\]/g, 'exists (select 1 from json_each($1) a join json_each($2) b on a.value = b.value)'],
  [/= any\((\$\d+)::bigint\[\]\)/g, 'in (select cast(value as integer) from json_each($1))'],
  [/= any\((\$\d+)::\w+\[\]\)/g, 'in (select value from json_each($1))'],
  [/::(text|timestamptz)\b/g, ''],
  [/(\$\d+)::bigint\b/g, 'cast($1 as integer)'],
  [/(\$\d+)::boolean\b/g, '$1'],
  [/text\[\]/g, 'text'],
  [/ collate "C"/g, ''],
  [/ with \(fillfactor = \d+\)/g, ''],
  [/\$(\d+)/g, '?$1'],
];

/** Rows out of a JSON array, each field in the form in which a column of its type keeps it. */
const recordset = (parameter: string, definitions: string): string => {
  const columns = definitions.split(',').map((definition) => {
    const [, name = '', type = ''] = /^\s*"?(\w+)"?\s+(?:text collate "C"|(\S+))\s*$/.exec(definition) ?? [];
    const field = `json_extract(value, '$.${name}')`;
    return `${type === 'bigint' ? `cast(${field} as integer)` : field} as "${name}"`;
  });
  return `(select ${columns.join(', ')} from json_each(${parameter})) as given`;
};
