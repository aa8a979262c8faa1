import { useEffect, useState } from 'react';

type Options = Readonly<{
  label: string;
  value: string;
  hint: string;
  type?: 'search';
  onChange: (value: string) => void;
}>;

const TYPING_MS = 300;

/** A field whose text counts once nobody types any more. */
export const Typed = ({ label, value, hint, type, onChange }: Options) => {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only typing begins the wait anew
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => onChange(text), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <label className="field grow">
      {label}
      <input
        type={type ?? 'text'}
        value={text}
        placeholder={hint}
        spellCheck={false}
        autoComplete="off"
        onChange={({ target }) => setText(target.value)}
      />
    </label>
  );
};
