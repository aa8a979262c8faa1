import { Area, AreaChart, ResponsiveContainer } from 'recharts';
import { rate } from '../format.ts';
import type { DnsQueries } from '../measured.ts';
import { clock, frame } from './chart-frame.tsx';

const COLOURS: Readonly<Record<string, string>> = {
  NOERROR: 'light-dark(#2f9e5e, #4bbf80)',
  NXDOMAIN: 'light-dark(#e09a2b, #e8ac4c)',
  REFUSED: 'light-dark(#8f63d8, #ac8af0)',
  SERVFAIL: 'light-dark(#d64c42, #e8756c)',
};
const MINUTES = 30;
const STEP_MS = 30_000;

/** Rates by response code, one upon another. Where nothing was measured there is a gap. */
export const RatesChart = ({ history }: Pick<DnsQueries, 'history'>) => {
  const codes = [...new Set(history.flatMap(({ rates }) => rates.map(({ code }) => code)))].sort();
  if (codes.length === 0) return <p className="muted">None was answered in the last {MINUTES} minutes.</p>;
  const byTime = new Map(history.map(({ time, rates }) => [Date.parse(time), rates]));
  const last = Math.floor(Date.now() / STEP_MS) * STEP_MS;
  const steps = (MINUTES * 60_000) / STEP_MS;
  const rows = Array.from({ length: steps }, (_, index) => {
    const time = last - (steps - 1 - index) * STEP_MS;
    const rates = byTime.get(time);
    const rateOf = (code: string) => rates && (rates.find((one) => one.code === code)?.perSecond ?? 0);
    return { minute: clock.format(time), ...Object.fromEntries(codes.map((code) => [code, rateOf(code)])) };
  });
  return (
    <div className="chart">
      <ResponsiveContainer width="100%" height="100%">
        <AreaChart data={rows} accessibilityLayer>
          {frame({ allowDecimals: true, format: rate })}
          {codes.map((code) => {
            const colour = COLOURS[code] ?? 'var(--idle)';
            const area = { dataKey: code, name: code, stroke: colour, fill: colour, fillOpacity: 0.75 };
            return <Area key={code} stackId="rates" isAnimationActive={false} {...area} />;
          })}
        </AreaChart>
      </ResponsiveContainer>
    </div>
  );
};
