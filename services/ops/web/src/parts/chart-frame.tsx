import type { ReactNode } from 'react';
import { CartesianGrid, Legend, Tooltip, XAxis, YAxis } from 'recharts';

/** How times are written along a chart. */
export const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

type Options = Readonly<{ allowDecimals?: boolean; format?: (value: number) => string }>;

/** What all charts have besides what they draw. */
export const frame = ({ allowDecimals = false, format = String }: Options = {}): ReactNode => [
  <CartesianGrid key="grid" stroke="var(--border)" vertical={false} />,
  <XAxis
    key="x"
    dataKey="minute"
    stroke="var(--border)"
    tick={{ fill: 'var(--muted)', fontSize: 12 }}
    minTickGap={28}
  />,
  <YAxis
    key="y"
    allowDecimals={allowDecimals}
    width={44}
    stroke="var(--border)"
    tick={{ fill: 'var(--muted)', fontSize: 12 }}
  />,
  <Tooltip
    key="tip"
    cursor={{ fill: 'var(--raised)' }}
    contentStyle={{ background: 'var(--surface)', border: '1px solid var(--border)', borderRadius: 8 }}
    labelStyle={{ color: 'var(--text)' }}
    isAnimationActive={false}
    formatter={(value) => format(Number(value))}
  />,
  <Legend
    key="legend"
    formatter={(name: string) => <span className="muted">{name}</span>}
    iconType="circle"
    iconSize={9}
  />,
];
