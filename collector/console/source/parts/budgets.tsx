// Budgets as bars: what is posted, what sidecars hold, and where the window would end if it went on like this.

import { type ReactNode, useState } from 'react';
import type { BudgetLine, Level } from '../../../../contract/budget.ts';
import { count, until } from '../format.ts';
import { agentHref } from '../route.ts';
import { Money } from './values.tsx';

/** Of the window that has passed, before which a projection would only mislead. */
const PROJECTED_FROM = 0.02;
const SHOWN_AT_FIRST = 10;
const WIDTH: Readonly<Record<Level, number>> = { fleet: 3, department: 2, agent: 1, task: 0 };
const WINDOW_MS: Readonly<Record<string, number>> = { hour: 3_600_000, day: 86_400_000, week: 604_800_000 };

/** The wider budgets first, then the fullest; the rest behind a button. */
export function Budgets({ lines }: { readonly lines: readonly BudgetLine[] }): ReactNode {
  const [isWhole, setWhole] = useState(false);
  const sorted = lines.toSorted((a, b) => WIDTH[b.level] - WIDTH[a.level] || fullness(b) - fullness(a));
  const shown = isWhole ? sorted : sorted.slice(0, SHOWN_AT_FIRST);
  return (
    <>
      <ul className="budgets">
        {shown.map((line) => (
          <Budget key={JSON.stringify([line.level, line.name, line.window, line.unit])} line={line} />
        ))}
      </ul>
      {shown.length < sorted.length && (
        <button type="button" className="more" onClick={() => setWhole(true)}>
          All {count(sorted.length)} budgets
        </button>
      )}
    </>
  );
}

const fullness = ({ posted, held, limit }: BudgetLine) =>
  shareOf((BigInt(posted) + BigInt(held)).toString(), limit);

function Budget({ line }: { readonly line: BudgetLine }): ReactNode {
  const { level, name, window: during, limit, posted, held, unit } = line;
  const used = shareOf(posted, limit);
  const projected = projection(line, Date.now());
  return (
    <li className="budget" data-level={used >= 1 ? 'over' : used >= 0.9 ? 'near' : 'fine'}>
      <div className="budget-name">
        {level === 'agent' ? <a href={agentHref(name)}>{name}</a> : <span>{withoutAgent(line)}</span>}
        <small>{level === 'task' ? 'task' : `${level} · ${during}`}</small>
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: <meter> has one bar, and this has two and a mark */}
      <div
        className="budget-bar"
        role="meter"
        aria-label={`${level} ${name}, ${during}`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(Math.min(1, used) * 100)}
        aria-valuetext={`${(used * 100).toFixed(1)} percent spent`}
      >
        <span className="budget-posted" style={{ width: percent(used) }} />
        <span className="budget-held" style={{ width: percent(shareOf(held, limit)) }} />
        {projected !== null && projected <= 1 && projected - used > 0.01 && (
          <span className="budget-projected" style={{ left: percent(projected) }} />
        )}
      </div>
      <div className="budget-read">
        <span>
          <Amount of={posted} unit={unit} /> <span className="faint">of</span>{' '}
          <Amount of={limit} unit={unit} />
        </span>
        <small>
          {BigInt(held) > 0n && (
            <>
              <Amount of={held} unit={unit} /> held ·{' '}
            </>
          )}
          {projected !== null && <Projected projected={projected} />}
          <Resets line={line} />
        </small>
      </div>
    </li>
  );
}

/** A task's budget is named `agent/task`. */
const withoutAgent = ({ level, name }: BudgetLine): string =>
  level === 'task' ? name.slice(name.indexOf('/') + 1) : name;

function Projected({ projected }: { readonly projected: number }): ReactNode {
  const figure = projected > 10 ? '> 1000' : projected < 0.01 ? '< 1' : (projected * 100).toFixed(0);
  const text = `${figure} % at this pace`;
  return <span data-tone={projected > 1 ? 'failed' : undefined}>{text} · </span>;
}

function Resets({ line: { resets_at } }: { readonly line: BudgetLine }): ReactNode {
  return resets_at === null
    ? 'with the task'
    : `resets in ${until(Math.max(0, Date.parse(resets_at) - Date.now()))}`;
}

export function Amount({ of, unit }: { readonly of: string; readonly unit: BudgetLine['unit'] }): ReactNode {
  return unit === 'tokens' ? `${count(Number(of))} tokens` : <Money nanodollars={of} />;
}

const percent = (part: number) => `${Math.min(1, part) * 100}%`;

/** A part of the limit; whole where the limit is nothing. */
export function shareOf(amount: string, limit: string): number {
  return BigInt(limit) === 0n ? 1 : Number((BigInt(amount) * 1_000_000n) / BigInt(limit)) / 1_000_000;
}

/** What would be posted at the window's end, as a part of the limit; null where nobody can say yet. */
function projection({ posted, limit, resets_at, window: during }: BudgetLine, nowMs: number): number | null {
  if (resets_at === null) return null;
  const endMs = Date.parse(resets_at);
  const startMs = startOf(during, endMs);
  const passed = (nowMs - startMs) / (endMs - startMs);
  return passed < PROJECTED_FROM || passed > 1 ? null : shareOf(posted, limit) / passed;
}

function startOf(during: string, endMs: number): number {
  const fixed = WINDOW_MS[during];
  if (fixed !== undefined) return endMs - fixed;
  const start = new Date(endMs);
  start.setUTCMonth(start.getUTCMonth() - 1);
  return start.getTime();
}
