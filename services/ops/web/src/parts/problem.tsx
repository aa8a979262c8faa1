import { ApiError } from '../api.ts';
import { words } from '../format.ts';

/** Facts that say no more than the message, or are for programs. */
const KNOWN = ['error_id', 'field'];

/** What went wrong, where it is to be seen, and what stands in the way if that is said. */
export const Problem = ({ error }: Readonly<{ error: Error | null | undefined }>) => {
  if (!error) return null;
  const facts = Object.entries(error instanceof ApiError ? error.facts : {}).filter(([name]) => !KNOWN.includes(name));
  return (
    <div className="notice tone-bad" role="alert">
      {error.message}
      {facts.length > 0 && (
        <ul>
          {facts.map(([name, value]) => (
            <li key={name}>
              {words(name)}: {value}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
};
