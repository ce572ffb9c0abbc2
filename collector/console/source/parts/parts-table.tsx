// What calls went through, one row each: models, or upstreams.

import type { ReactNode } from 'react';
import type { PartSums } from '../../../../contract/console.ts';
import { count, duration, short } from '../format.ts';
import { Section } from './section.tsx';
import { Money } from './values.tsx';

export function PartsTable({
  title,
  parts,
}: {
  readonly title: string;
  readonly parts: readonly PartSums[];
}): ReactNode {
  if (parts.length === 0) return null;
  return (
    <Section title={title}>
      <table>
        <thead>
          <tr>
            <th scope="col">Name</th>
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
              p50
            </th>
            <th scope="col" className="number wide">
              p95
            </th>
            <th scope="col" className="number wide">
              Tokens in
            </th>
            <th scope="col" className="number wide">
              Tokens out
            </th>
            <th scope="col" className="number cost">
              Cost
            </th>
          </tr>
        </thead>
        <tbody>
          {parts.map((part) => (
            <tr key={part.name}>
              <th scope="row">{part.name}</th>
              <td className="number">{count(part.calls)}</td>
              <td className="number wide" data-tone={part.failed > 0 ? 'failed' : 'faint'}>
                {count(part.failed)}
              </td>
              <td className="number wide" data-tone={part.refused > 0 ? 'refused' : 'faint'}>
                {count(part.refused)}
              </td>
              <td className="number wide">{duration(part.p50_ms)}</td>
              <td className="number wide">{duration(part.p95_ms)}</td>
              <td className="number wide">{short(part.tokens_in)}</td>
              <td className="number wide">{short(part.tokens_out)}</td>
              <td className="number">
                <Money nanodollars={part.cost_nanodollars} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}
