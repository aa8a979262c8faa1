import { type FormEvent, type ReactNode, useId, useRef } from 'react';
import { Problem } from './problem.tsx';

type DialogOf = Readonly<{
  name: string;
  /** Of the button, for whoever does not see the row that it stands in. */
  label?: string | undefined;
  isDanger: boolean;
  /** Each time it is opened, with the id of the request that is then confirmed: it is done once. */
  onOpen: (requestId: string) => void;
  isReady: boolean;
  onConfirm: (close: () => void) => void;
  error: Error | null;
  children: ReactNode;
}>;

/** A button, and what it asks before anything is done. */
export const ConfirmDialog = (props: DialogOf) => {
  const { name, label, isDanger, onOpen, isReady, onConfirm, error, children } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  const close = () => dialog.current?.close();
  const open = () => {
    onOpen(crypto.randomUUID());
    dialog.current?.showModal();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onConfirm(close);
  };
  return (
    <>
      <button type="button" className={isDanger ? 'danger' : ''} aria-label={label} onClick={open}>
        {name}
      </button>
      <dialog ref={dialog} aria-labelledby={title}>
        <form onSubmit={submit}>
          <h2 id={title}>{name}</h2>
          {children}
          <Problem error={error} />
          <div className="actions">
            <button type="submit" className="primary" disabled={!isReady}>
              {name}
            </button>
            <button type="button" onClick={close}>
              Cancel
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
};

type MessageOf = Readonly<{ label: string; text: string; onText: (text: string) => void; required?: boolean }>;

export const MessageField = ({ label, text, onText, required = false }: MessageOf) => (
  <label className="field">
    {label}
    <input required={required} value={text} maxLength={256} onChange={({ target }) => onText(target.value)} />
  </label>
);
