/** What went wrong, where it is to be seen. */
export const Problem = ({ error }: Readonly<{ error: Error | null | undefined }>) =>
  error ? (
    <p className="notice tone-bad" role="alert">
      {error.message}
    </p>
  ) : null;
