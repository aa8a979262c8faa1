import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { ConfirmDialog, MessageField } from './confirm-dialog.tsx';

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
  const client = useQueryClient();
  const [text, setText] = useState('');
  const [requestId, setRequestId] = useState('');
  const work = useMutation({
    mutationFn: () => run(requestId, text),
    // Also what fails has changed it.
    onSettled: () => void client.invalidateQueries(),
  });
  const open = (id: string) => {
    setRequestId(id);
    work.reset();
  };
  return (
    <ConfirmDialog
      {...{ name, isDanger, error: work.error, onOpen: open }}
      label={`${name} ${label}`}
      isReady={!work.isPending}
      onConfirm={(close) => work.mutate(undefined, { onSuccess: close })}
    >
      <p>{children}</p>
      {message && <MessageField label="Reason" required text={text} onText={setText} />}
    </ConfirmDialog>
  );
};
