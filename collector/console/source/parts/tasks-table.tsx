// An agent's tasks, the latest first; each leads to its calls.

import type { ReactNode } from 'react';
import type { TaskLine } from '../../../../contract/console.ts';
import { count, short, span } from '../format.ts';
import { callsHref } from '../route.ts';
import { Section } from './section.tsx';
import { Ago, Money } from './values.tsx';

export function TasksTable({
  tasks,
  agent,
}: {
  readonly tasks: readonly TaskLine[];
  readonly agent: string;
}): ReactNode {
  if (tasks.length === 0) return null;
  return (
    <Section title="Tasks">
      <table>
        <thead>
          <tr>
            <th scope="col">Task</th>
            <th scope="col">State</th>
            <th scope="col" className="number wide">
              Calls
            </th>
            <th scope="col" className="number wide">
              Failed
            </th>
            <th scope="col" className="number wide">
              Refused
            </th>
            <th scope="col" className="number wide">
              Tokens
            </th>
            <th scope="col" className="number wide">
              From first to last call
            </th>
            <th scope="col" className="number">
              Last call
            </th>
            <th scope="col" className="number cost">
              Cost
            </th>
          </tr>
        </thead>
        <tbody>
          {tasks.map((task) => (
            <tr key={task.task}>
              <th scope="row">
                <a data-row href={callsHref({ agent, task: task.task, range: '30d' })}>
                  {task.task}
                </a>
              </th>
              <td>{task.state}</td>
              <td className="number wide">{count(task.calls)}</td>
              <td className="number wide" data-tone={task.failed > 0 ? 'failed' : 'faint'}>
                {count(task.failed)}
              </td>
              <td className="number wide" data-tone={task.refused > 0 ? 'refused' : 'faint'}>
                {count(task.refused)}
              </td>
              <td className="number wide">{short(task.tokens_in + task.tokens_out)}</td>
              <td className="number wide">
                {span(Date.parse(task.last_call) - Date.parse(task.first_call))}
              </td>
              <td className="number">
                <Ago iso={task.last_call} />
              </td>
              <td className="number">
                <Money nanodollars={task.cost_nanodollars} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}
