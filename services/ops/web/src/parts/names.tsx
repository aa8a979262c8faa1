import { useQueries } from '@tanstack/react-query';
import { type Connection, rpc } from '../api.ts';
import { shortName } from '../format.ts';
import { SimpleTable } from './simple-table.tsx';

type Answer = Readonly<{ responseCode: string; records: readonly string[]; ttlSeconds: number }>;
type Asked = Readonly<{ domainName: string; recordType: string; vpcId?: string }>;

const namesOf = ({ domainName, zones, customDomainNames, vpcId }: Connection): readonly Omit<Asked, 'recordType'>[] => [
  ...[domainName, ...zones.map((zone) => zone.domainName)].filter(Boolean).map((name) => ({ domainName: name })),
  // These are names of the VPC alone; below a wildcard any name stands for all.
  ...customDomainNames.map((name) => ({ domainName: name.replace(/^\*/, 'any'), vpcId })),
];

/** The names of a connection, and what DNS answers at this moment. */
export const Names = ({ connection }: Readonly<{ connection: Connection }>) => {
  const names = namesOf(connection);
  const types = connection.zones.some(({ ipv6Address }) => ipv6Address) ? ['A', 'AAAA'] : ['A'];
  const asked: readonly Asked[] = names.flatMap((name) => types.map((recordType) => ({ ...name, recordType })));
  const answers = useQueries({
    queries: asked.map((one) => ({
      // Asked for anew whenever something happens to the connection or its names.
      queryKey: ['connection', connection.connectionId, 'dns', one],
      queryFn: () => rpc<Answer>('dns', 'LookupDomain', one),
      retry: false,
    })),
  });
  return (
    <SimpleTable
      title="Names, and what DNS answers now"
      heads={['Name', 'Type', 'Answer', 'Kept for']}
      rows={asked.map((one, index) => {
        const { data, error } = answers[index] ?? {};
        return {
          key: `${one.domainName} ${one.recordType}`,
          cells: [
            <span key="n" className="mono">
              {one.domainName}
            </span>,
            one.recordType,
            <span key="a" className="mono">
              {error ? error.message : answerText(data)}
            </span>,
            data && data.records.length > 0 ? `${data.ttlSeconds} s` : '–',
          ],
        };
      })}
      empty="It has no names."
    />
  );
};

const answerText = (answer: Answer | undefined): string => {
  if (!answer) return '…';
  const code = shortName(answer.responseCode);
  if (code !== 'NOERROR') return code;
  return answer.records.join(', ') || 'NODATA';
};
