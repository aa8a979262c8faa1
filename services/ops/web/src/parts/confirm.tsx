import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useId, useRef, useState } from 'react';
import { Problem } from './problem.tsx';

type ConfirmOf = Readonly<{
  name: string;
  /** What it is done to, for whoever does not see the button's row. */
  label: string;
  /** What it does. */
  children: ReactNode;
  /** Whether a reason has to be given. */
  message?: boolean;
  isDanger?: boolean;
  run: (requestId: string, message: string) => Promise<unknown>;
}>;

/** A button of what cannot be tried out before: it is done when it is confirmed. */
export const Confirm = ({ name, label, children, message = false, isDanger = false, run }: ConfirmOf) => {
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  const client = useQueryClient();
  const [text, setText] = useState('');
  const [requestId, setRequestId] = useState('');
  const work = useMutation({
    mutationFn: () => run(requestId, text),
    onSuccess: () => dialog.current?.close(),
    // Also what fails has changed it.
    onSettled: () => client.invalidateQueries(),
  });
  const open = () => {
    setRequestId(crypto.randomUUID());
    work.reset();
    dialog.current?.showModal();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    work.mutate();
  };
  return (
    <>
      <button type="button" className={isDanger ? 'danger' : ''} aria-label={`${name} ${label}`} onClick={open}>
        {name}
      </button>
      <dialog ref={dialog} aria-labelledby={title}>
        <form onSubmit={submit}>
          <h2 id={title}>{name}</h2>
          <p>{children}</p>
          {message && (
            <label className="field">
              Reason
              <input required value={text} maxLength={256} onChange={({ target }) => setText(target.value)} />
            </label>
          )}
          <Problem error={work.error} />
          <div className="actions">
            <button type="submit" className="primary" disabled={work.isPending}>
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
