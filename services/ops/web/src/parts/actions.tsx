import { Action, type ActionOf } from './action.tsx';
import { Menu } from './menu.tsx';

/** As many as fit beside a title. */
const IN_SIGHT = 3;

/** What there is to do: what is done most in sight, the rest behind a button. */
export const Actions = ({ actions }: Readonly<{ actions: readonly ActionOf[] }>) => {
  const rest = actions.slice(IN_SIGHT);
  return (
    <div className="actions">
      {actions.slice(0, IN_SIGHT).map((action) => (
        <Action key={action.method + action.name} {...action} />
      ))}
      {rest.length > 0 && (
        <Menu name="More">
          {rest.map((action) => (
            <Action key={action.method + action.name} {...action} />
          ))}
        </Menu>
      )}
    </div>
  );
};
