import { ago, at } from '../format.ts';

/** A moment, by how long ago it was. */
export const Ago = ({ time }: Readonly<{ time: string | null | undefined }>) =>
  time ? (
    <time dateTime={time} title={at(time)}>
      {ago(time)}
    </time>
  ) : (
    <span className="muted">–</span>
  );

export const At = ({ time }: Readonly<{ time: string | undefined }>) =>
  time ? <time dateTime={time}>{at(time)}</time> : <span className="muted">–</span>;
