// Every agent that is there or did something: how it is, what it did, what it cost.

import type { ReactNode } from 'react';
import type { AgentLine } from '../../../../contract/budget.ts';
import { type AgentSums, NO_SUMS } from '../../../../contract/console.ts';
import { count, duration, short } from '../format.ts';
import { agentHref } from '../route.ts';
import { Ago, Health, Money } from './values.tsx';

export function AgentsTable({
  agents,
  instances,
}: {
  readonly agents: readonly AgentSums[];
  readonly instances: readonly AgentLine[];
}): ReactNode {
  const known = new Set(agents.map(({ agent }) => agent));
  const silent = [...new Set(instances.map(({ name }) => name))].filter((name) => !known.has(name)).sort();
  if (agents.length + silent.length === 0) return <p className="empty">No agent was heard of yet.</p>;
  const rows = [...agents, ...silent.map((agent) => ({ ...NO_AGENT, agent }))];
  return (
    <table className="agents">
      <thead>
        <tr>
          <th scope="col">Agent</th>
          <th scope="col">Health</th>
          <th scope="col" className="wide">
            Mode
          </th>
          <th scope="col" className="number">
            Calls
          </th>
          <th scope="col" className="number wide">
            Failed
          </th>
          <th scope="col" className="number wide">
            Refused
          </th>
          <th scope="col" className="number wide">
            Waits
          </th>
          <th scope="col" className="number wide">
            p95
          </th>
          <th scope="col" className="number wide">
            Tokens
          </th>
          <th scope="col" className="number cost">
            Cost
          </th>
          <th scope="col" className="number wide">
            Last call
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <AgentRow
            key={row.agent}
            row={row}
            instances={instances.filter(({ name }) => name === row.agent)}
          />
        ))}
      </tbody>
    </table>
  );
}

const NO_AGENT: AgentSums = {
  ...NO_SUMS,
  agent: '',
  department: '',
  owner: '',
  p50_ms: null,
  p95_ms: null,
  last_call: null,
};

function AgentRow({
  row,
  instances,
}: {
  readonly row: AgentSums;
  readonly instances: readonly AgentLine[];
}): ReactNode {
  return (
    <tr>
      <th scope="row">
        <a data-row href={agentHref(row.agent)}>
          {row.agent}
        </a>
        <small>{[row.department, row.owner].filter((text) => text !== '').join(' · ')}</small>
      </th>
      <td>
        <HealthOf instances={instances} />
      </td>
      <td className="wide">{[...new Set(instances.map(({ mode }) => mode))].join(', ')}</td>
      <Count of={row.calls} className="" />
      <Count of={row.failed} tone="failed" />
      <Count of={row.refused} tone="refused" />
      <Count of={row.escalated} tone="waits" />
      <td className="number wide">{duration(row.p95_ms)}</td>
      <td className="number wide">{short(row.tokens_in + row.tokens_out)}</td>
      <td className="number">
        <Money nanodollars={row.cost_nanodollars} />
      </td>
      <td className="number wide">
        {row.calls === 0 ? <span className="faint">–</span> : <Ago iso={row.last_call} />}
      </td>
    </tr>
  );
}

function Count({
  of,
  tone,
  className = 'wide',
}: {
  readonly of: number;
  readonly tone?: string;
  readonly className?: string;
}): ReactNode {
  return (
    <td className={`number ${className}`}>
      {of === 0 ? <span className="faint">0</span> : <span data-tone={tone}>{count(of)}</span>}
    </td>
  );
}

/** The worst first; nothing where no sidecar was heard of. */
export function HealthOf({ instances }: { readonly instances: readonly AgentLine[] }): ReactNode {
  const states = (['degraded', 'ok', 'away'] as const)
    .map((health) => ({ health, n: instances.filter((line) => line.health === health).length }))
    .filter(({ n }) => n > 0);
  const shown = states.some(({ health }) => health !== 'away')
    ? states.filter(({ health }) => health !== 'away')
    : states;
  if (shown.length === 0) return <span className="faint">–</span>;
  return shown.map(({ health, n }) => <Health key={health} health={health} n={n} />);
}
