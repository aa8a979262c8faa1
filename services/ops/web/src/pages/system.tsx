import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import {
  get,
  listReadModels,
  type Overview,
  type ReadModel,
  type Rebuilt,
  rebuildReadModel,
  type ServiceName,
} from '../api.ts';
import { number } from '../format.ts';
import { PageHead } from '../parts/page-head.tsx';
import { Problem } from '../parts/problem.tsx';
import { useSession } from '../parts/shell.tsx';
import { Ago } from '../parts/time.tsx';
import { DeadLetters } from './system-dead-letters.tsx';
import { SubscriptionTable } from './system-subscriptions.tsx';

const SERVICES: readonly ServiceName[] = ['provider', 'consumer', 'broker', 'dns'];

export const SystemPage = () => {
  const overview = useQuery({ queryKey: ['overview'], queryFn: () => get<Overview>('/api/overview') });
  return (
    <>
      <PageHead title="System" />
      <Problem error={overview.error} />
      <div className="columns">
        {SERVICES.map((service) => (
          <Service
            key={service}
            service={service}
            source={overview.data?.sources.find(({ source }) => source === service)}
          />
        ))}
      </div>
      <DeadLetters />
      <SubscriptionTable />
    </>
  );
};

type Source = Overview['sources'][number];

const Service = ({ service, source }: Readonly<{ service: ServiceName; source: Source | undefined }>) => {
  const found = useQuery({
    queryKey: ['read-models', service],
    queryFn: () => listReadModels(service),
    refetchInterval: 5_000,
  });
  return (
    <section className="card">
      <h2>{service}</h2>
      <dl className="facts">
        <dt>Last announced</dt>
        <dd>
          <Ago time={source?.heardAt} />
        </dd>
        <dt>Last fact</dt>
        <dd>
          <Ago time={source?.recordTime} />
        </dd>
        <dt>Announced up to</dt>
        <dd className="mono">{source?.position ?? '–'}</dd>
      </dl>
      <Problem error={found.error} />
      {found.data?.readModels.map((model) => (
        <Model key={model.name} service={service} model={model} />
      ))}
      {found.data?.readModels.length === 0 && <p className="muted">It keeps no read models.</p>}
    </section>
  );
};

const Model = ({ service, model }: Readonly<{ service: ServiceName; model: ReadModel }>) => {
  const { data: session } = useSession();
  const [told, setTold] = useState<Rebuilt>({});
  const rebuild = useMutation({ mutationFn: () => rebuildReadModel(service, model.name, setTold) });
  const { progress, report } = told;
  return (
    <div className="model">
      <div>
        <strong className="mono">{model.name}</strong>
        <div className="muted">
          {number(Number(model.rowCount))} rows, up to position {model.position}, version {model.version}
        </div>
        {rebuild.isPending && progress && (
          <label className="field">
            Up to position {number(Number(progress.position))} of {number(Number(progress.targetPosition))}
            <progress value={Number(progress.position)} max={Number(progress.targetPosition)} />
          </label>
        )}
        {report && (
          <div role="status">
            {report.differenceCount === '0'
              ? `Proven: ${number(Number(report.rowCount))} rows are what the events say.`
              : `${report.differenceCount} rows were not what the events say: ${report.differingKeys.join(', ')}`}
          </div>
        )}
        <Problem error={rebuild.error} />
      </div>
      {session?.roles.includes('operator') && (
        <button type="button" disabled={rebuild.isPending} onClick={() => rebuild.mutate()}>
          {rebuild.isPending ? 'Rebuilding …' : 'Rebuild with proof'}
        </button>
      )}
    </div>
  );
};
