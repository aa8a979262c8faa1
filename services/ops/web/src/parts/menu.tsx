import { type FocusEvent, type KeyboardEvent, type ReactNode, useRef } from 'react';

/** What opens below a button, and closes by Escape or when somebody goes elsewhere. */
export const Menu = ({ name, children }: Readonly<{ name: string; children: ReactNode }>) => {
  const menu = useRef<HTMLDetailsElement>(null);
  const close = (): void => {
    if (menu.current) menu.current.open = false;
  };
  const onKeyDown = ({ key }: KeyboardEvent): void => {
    if (key !== 'Escape' || !menu.current?.open) return;
    close();
    menu.current.querySelector('summary')?.focus();
  };
  const onBlur = ({ relatedTarget, currentTarget }: FocusEvent): void => {
    if (!currentTarget.contains(relatedTarget)) close();
  };
  return (
    <details className="menu" ref={menu} onKeyDown={onKeyDown} onBlur={onBlur}>
      <summary className="button">{name}</summary>
      {/* A click beside what is in it is none elsewhere. */}
      <div className="card" tabIndex={-1}>
        {children}
      </div>
    </details>
  );
};
