import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useEffect, useId, useRef, useState } from 'react';
import { type Preview, rpc, type ServiceName } from '../api.ts';
import { words } from '../format.ts';
import { refreshAll } from '../live.ts';
import { Problem } from './problem.tsx';

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
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
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
  const run = useMutation({
    mutationFn: () => ask(false),
    onSuccess: () => {
      refreshAll(client);
      dialog.current?.close();
    },
  });
  const open = () => {
    // The same for the preview and for what is then done: neither happens twice.
    setRequestId(crypto.randomUUID());
    setIsForced(false);
    run.reset();
    dialog.current?.showModal();
  };
  const { mutate: look, reset } = preview;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what would be done is asked for anew when it is another thing
  useEffect(() => {
    if (requestId === '') return;
    reset();
    look();
  }, [requestId, isForced, look, reset]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    run.mutate();
  };
  return (
    <>
      <button type="button" className={isDanger ? 'danger' : ''} onClick={open}>
        {name}
      </button>
      <dialog ref={dialog} aria-labelledby={title}>
        <form onSubmit={submit}>
          <h2 id={title}>{name}</h2>
          {message && (
            <label className="field">
              Message
              <input value={text} maxLength={256} onChange={({ target }) => setText(target.value)} />
            </label>
          )}
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
          <Problem error={run.error ?? preview.error} />
          <div className="actions">
            <button type="submit" className="primary" disabled={!preview.isSuccess || run.isPending}>
              {name}
            </button>
            <button type="button" onClick={() => dialog.current?.close()}>
              Cancel
            </button>
          </div>
        </form>
      </dialog>
    </>
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
