// A small chart of steps over time, drawn by hand: bars, stacked where a step has parts. What is pointed at, or reached
// with the arrow keys, is read out beside the title.

import { type PointerEvent, type ReactNode, useId, useState } from 'react';
import { clock, day } from '../format.ts';

export interface Part {
  readonly name: string;
  /** What it is drawn in: `plain`, `failed`, `refused`, `cost`. */
  readonly tone: string;
  readonly values: readonly number[];
}

export interface ChartProps {
  readonly title: string;
  readonly times: readonly string[];
  readonly parts: readonly Part[];
  /** The whole as text, and one step of it. */
  readonly whole: ReactNode;
  readonly step: (index: number) => ReactNode;
  /** The scale's end. */
  readonly scale: (max: number) => string;
}

const HEIGHT = 100;

export function Chart({ title, times, parts, whole, step, scale }: ChartProps): ReactNode {
  const [at, setAt] = useState<number | null>(null);
  const totals = times.map((_, index) => parts.reduce((sum, { values }) => sum + (values[index] ?? 0), 0));
  const max = Math.max(...totals);
  const reading = useId();
  const last = times.length - 1;
  const point = ({ currentTarget, clientX }: PointerEvent) => {
    const { left, width } = currentTarget.getBoundingClientRect();
    setAt(Math.min(last, Math.max(0, Math.floor(((clientX - left) / width) * times.length))));
  };
  return (
    <figure className="chart">
      <figcaption>
        <span className="chart-title">{title}</span>
        <span className="chart-reading" id={reading} aria-live="polite">
          {at === null ? whole : step(at)}
        </span>
      </figcaption>
      <div className="chart-box">
        <span className="chart-scale">{max > 0 ? scale(max) : ''}</span>
        <svg viewBox={`0 0 ${times.length} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          {at !== null && <rect className="chart-at" x={at} y={0} width={1} height={HEIGHT} />}
          {max > 0 &&
            parts.map((part, layer) => (
              <Bars key={part.name} part={part} below={parts.slice(0, layer)} max={max} />
            ))}
        </svg>
        {/* Pointed at, dragged along or moved with the arrow keys, it says which step is read out. */}
        <input
          type="range"
          min={0}
          max={last}
          value={at ?? last}
          aria-label={`${title}: one step`}
          aria-describedby={reading}
          onChange={(event) => setAt(Number(event.target.value))}
          onPointerMove={point}
          onPointerLeave={() => setAt(null)}
          onBlur={() => setAt(null)}
        />
      </div>
      <div className="chart-times" aria-hidden="true">
        <span>{timeLabel(times, 0)}</span>
        <span>{timeLabel(times, Math.floor(times.length / 2))}</span>
        <span>now</span>
      </div>
    </figure>
  );
}

function Bars({
  part,
  below,
  max,
}: {
  readonly part: Part;
  readonly below: readonly Part[];
  readonly max: number;
}): ReactNode {
  const bars = part.values.map((value, index) => {
    if (value === 0) return '';
    const base = below.reduce((sum, { values }) => sum + (values[index] ?? 0), 0);
    // A part too small to see would say that there was none.
    const tall = Math.max((value / max) * HEIGHT, 1.5);
    const top = HEIGHT - (base / max) * HEIGHT - tall;
    return `M${index + 0.12} ${top.toFixed(2)}h.76v${tall.toFixed(2)}h-.76z`;
  });
  return <path className="chart-bars" data-tone={part.tone} d={bars.join('')} />;
}

/** The hour, or the day where the whole is longer than one. */
export function timeLabel(times: readonly string[], index: number): string {
  const time = times[index] ?? '';
  const isLong = Date.parse(times.at(-1) ?? '') - Date.parse(times[0] ?? '') > 86_400_000;
  return isLong ? `${day(time)} ${clock(time)}` : clock(time);
}
