import { type FocusEvent, type KeyboardEvent, type ReactNode, useEffect, useRef } from 'react';

/** What opens below a button, and closes by Escape, when a dialog in it has closed, or when somebody goes elsewhere. */
export const Menu = ({ name, children }: Readonly<{ name: string; children: ReactNode }>) => {
  const menu = useRef<HTMLDetailsElement>(null);
  const close = (): void => {
    if (menu.current) menu.current.open = false;
  };
  const closeAndStay = (): void => {
    close();
    menu.current?.querySelector('summary')?.focus();
  };
  const onKeyDown = ({ key }: KeyboardEvent): void => {
    if (key === 'Escape' && menu.current?.open) closeAndStay();
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: it reads nothing that changes
  useEffect(() => {
    // The event of a dialog does not bubble.
    const node = menu.current;
    node?.addEventListener('close', closeAndStay, true);
    return () => node?.removeEventListener('close', closeAndStay, true);
  }, []);
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
