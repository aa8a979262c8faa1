import { type ReactNode, useEffect } from 'react';

export const PageHead = ({ title, children }: Readonly<{ title: string; children?: ReactNode }>) => {
  useEffect(() => {
    document.title = `${title} – PrivateLink`;
  }, [title]);
  return (
    <header className="page-head">
      <h1>{title}</h1>
      {children}
    </header>
  );
};
