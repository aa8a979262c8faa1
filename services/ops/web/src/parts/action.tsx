import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { type Preview, rpc, type ServiceName } from '../api.ts';
import { words } from '../format.ts';
import { refreshAll } from '../live.ts';
import { ConfirmDialog, MessageField } from './confirm-dialog.tsx';

export type ActionOf = Readonly<{
  name: string;
  service: ServiceName;
  method: string;
  /** Fields of the request besides its id and what is asked for here; perhaps to be found out first. */
  request: object | (() => Promise<object>);
  /** Whether it takes a message. */
  message?: boolean;
  /** What `force` does, where there is a choice. */
  force?: string;
  isDanger?: boolean;
}>;

type Previewed = Readonly<{ preview?: Preview }>;

/** A button that says what it would do, does it when it is confirmed, and then shows what came of it. */
export const Action = ({ name, service, method, request, message = false, force, isDanger = false }: ActionOf) => {
  const client = useQueryClient();
  const [text, setText] = useState('');
  const [isForced, setIsForced] = useState(false);
  const [requestId, setRequestId] = useState('');
  const ask = async (dryRun: boolean) => {
    const fields = typeof request === 'function' ? await request() : request;
    const said = { ...(message && { message: text }), ...(force && { force: isForced }) };
    return rpc<Previewed>(service, method, { ...fields, ...said, requestId, dryRun });
  };
  const preview = useMutation({ mutationFn: () => ask(true) });
  const run = useMutation({ mutationFn: () => ask(false), onSuccess: () => refreshAll(client) });
  const open = (id: string) => {
    // The same for the preview and for what is then done: neither happens twice.
    setRequestId(id);
    setIsForced(false);
    run.reset();
  };
  const { mutate: look, reset } = preview;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what would be done is asked for anew when it is another thing
  useEffect(() => {
    if (requestId === '') return;
    reset();
    look();
  }, [requestId, isForced, look, reset]);
  return (
    <ConfirmDialog
      {...{ name, isDanger, onOpen: open, error: run.error ?? preview.error }}
      isReady={preview.isSuccess && !run.isPending}
      onConfirm={(close) => run.mutate(undefined, { onSuccess: close })}
    >
      {message && <MessageField label="Message" text={text} onText={setText} />}
      {force && (
        <label className="check">
          <input type="checkbox" checked={isForced} onChange={({ target }) => setIsForced(target.checked)} />
          {force}
        </label>
      )}
      <div aria-live="polite">
        {preview.isPending && <p className="muted">Asking what it would do …</p>}
        {preview.data && <PreviewText preview={preview.data.preview} />}
      </div>
    </ConfirmDialog>
  );
};

/** Of many events alike a few are enough to read. */
const EVENTS_SHOWN = 12;

const PreviewText = ({ preview }: Readonly<{ preview: Preview | undefined }>) => {
  const events = preview?.events ?? [];
  if (events.length === 0) return <p>Nothing would change.</p>;
  return (
    <>
      <p>It would record:</p>
      <ol>
        {events.slice(0, EVENTS_SHOWN).map(({ resourceType, resourceId, type, transition }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a resource may have the same event twice; their order is theirs
          <li key={index}>
            {type} of {words(resourceType.replace(/[A-Z]/g, '_$&').toUpperCase()).toLowerCase()}{' '}
            <span className="mono">{resourceId}</span>
            {transition && ` – then ${words(transition.to).toLowerCase()}`}
          </li>
        ))}
      </ol>
      {events.length > EVENTS_SHOWN && <p>and {events.length - EVENTS_SHOWN} more.</p>}
      <p className="muted">
        {preview?.connectionIds.length ?? 0} connections, {preview?.eniIds.length ?? 0} interfaces and{' '}
        {preview?.domainNames.length ?? 0} names are touched
        {preview?.truncated ? ', and more that were not looked at' : ''}.
      </p>
    </>
  );
};
