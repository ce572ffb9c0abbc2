// The life of an incident, round by round: what is told, what is told again, and what nobody hears.

import { describe, expect, it } from 'vitest';
import { type AlertDefinition, parseDefinitions } from '../../../collector/alerts/definition.ts';
import type { Finding } from '../../../collector/alerts/finding.ts';
import { paced } from '../../../collector/alerts/pace.ts';
import { silences } from '../../../collector/alerts/silence.ts';
import { OPEN_MAX, type Round, stepsOf, TOLD_TOGETHER_MAX } from '../../../collector/alerts/steps.ts';
import { readAlertFiles } from '../../../collector/edges/alert-files.ts';
import type { Incident } from '../../../contract/alert.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const { alerts } = parseDefinitions(readAlertFiles());
const named = (id: string): AlertDefinition => alerts.find((alert) => alert.id === id)!;

const finding = (key = 'writer', more: Partial<Finding> = {}): Finding => ({
  key,
  agent: 'writer',
  task: '',
  owner: '',
  value: 1,
  details: {},
  ...more,
});

/** A fleet of one alert: `at` plays a round and answers `change/tell key` of each step. */
function play(definition: AlertDefinition, world: Partial<Round> = {}) {
  let open: Incident[] = [];
  const past: Incident[] = [];
  const lastFiredMs = (key: string) =>
    past.findLast((incident) => incident.key === key && incident.severity === definition.severity)?.firedMs ??
    undefined;
  return {
    open: () => open,
    acknowledge: () => {
      open = open.map((incident) => ({ ...incident, acknowledgedBy: 'anna' }));
    },
    at(nowMs: number, ...findings: Finding[]): string[] {
      const steps = stepsOf({
        nowMs,
        definition,
        findings,
        open,
        lastFiredMs,
        isSilenced: () => false,
        refreshMs: MINUTE,
        ...world,
      });
      for (const { incident, change } of steps) {
        open = open.filter(({ key }) => key !== incident.key);
        if (change === 'resolved') past.push(incident);
        else if (change !== 'forgotten') open.push(incident);
      }
      return steps.map(({ change, tell, incident }) => `${change}/${tell ?? '-'} ${incident.severity}`);
    },
  };
}

describe('an incident', () => {
  it('fires at once where nothing says how long, is told once, and resolved when over for `keep`', () => {
    const fleet = play(named('error-rate'));
    expect(fleet.at(0, finding())).toEqual(['fired/trigger critical']);
    expect(fleet.at(15_000, finding())).toEqual([]);
    expect(fleet.at(30_000)).toEqual([]);
    expect(fleet.at(30_000 + 5 * MINUTE)).toEqual(['resolved/resolve critical']);
    expect(fleet.open()).toEqual([]);
  });

  it('waits for its `for`, and is forgotten when it was over before', () => {
    const fleet = play(named('collector-unreachable'));
    expect(fleet.at(0, finding())).toEqual(['found/- critical']);
    expect(fleet.at(MINUTE)).toEqual(['forgotten/- critical']);
    expect(fleet.at(2 * MINUTE, finding())).toEqual(['found/- critical']);
    expect(fleet.at(4 * MINUTE - 1, finding())).toEqual(['seen/- critical']);
    expect(fleet.at(4 * MINUTE, finding())).toEqual(['fired/trigger critical']);
  });

  it('is said again every four hours until somebody has it', () => {
    const fleet = play(named('error-rate'));
    fleet.at(0, finding());
    expect(fleet.at(4 * HOUR - 1, finding())).toEqual(['seen/- critical']);
    expect(fleet.at(4 * HOUR, finding())).toEqual(['told/trigger critical']);
    fleet.acknowledge();
    expect(fleet.at(9 * HOUR, finding())).toEqual(['seen/- critical']);
    expect(fleet.at(10 * HOUR)).toEqual(['resolved/resolve critical']);
  });

  it('of an act out of scope is critical once in 24 h for an agent and target, then a warning', () => {
    const fleet = play(named('out-of-scope-act'));
    expect(fleet.at(0, finding())).toEqual(['fired/trigger critical']);
    expect(fleet.at(HOUR)).toEqual(['resolved/resolve critical']);
    expect(fleet.at(2 * HOUR, finding())).toEqual(['fired/trigger warning']);
    expect(fleet.at(2 * HOUR, finding(), finding('other'))).toEqual(['fired/trigger critical']);
    expect(fleet.at(3 * HOUR)).toEqual(['resolved/resolve warning', 'resolved/resolve critical']);
    expect(fleet.at(25 * HOUR, finding())).toEqual(['fired/trigger critical']);
  });

  it('that is silenced fires untold, and is told when the silence ends before it is over', () => {
    let quiet = true;
    const fleet = play(named('error-rate'), { isSilenced: () => quiet });
    expect(fleet.at(0, finding())).toEqual(['fired/- critical']);
    expect(fleet.at(MINUTE, finding())).toEqual(['seen/- critical']);
    quiet = false;
    expect(fleet.at(2 * MINUTE, finding())).toEqual(['told/trigger critical']);
  });

  it('that nobody was told of is resolved without a word', () => {
    const fleet = play(named('error-rate'), { isSilenced: () => true });
    fleet.at(0, finding());
    expect(fleet.at(HOUR)).toEqual(['resolved/- critical']);
  });

  it('of an agent in a frenzy is listed, but no more than ten are told', () => {
    const fleet = play(named('out-of-scope-act'));
    const frenzy = Array.from({ length: 30 }, (_, i) => finding(`target ${i}`));
    const told = fleet.at(0, ...frenzy).filter((step) => step === 'fired/trigger critical');
    expect(told).toHaveLength(TOLD_TOGETHER_MAX);
    expect(fleet.open()).toHaveLength(30);
    expect(fleet.at(MINUTE / 2, ...frenzy, finding('another agent’s', { agent: 'editor' }))).toEqual([
      'fired/trigger critical',
    ]);
    const over = fleet.at(HOUR);
    expect(over.filter((step) => step === 'resolved/resolve critical')).toHaveLength(TOLD_TOGETHER_MAX + 1);
  });

  it('of every department is told, for no agent chose how many there are', () => {
    const departments = Array.from({ length: 30 }, (_, i) => finding(`department ${i}`, { agent: '' }));
    expect(play(named('fleet-budget-used-up')).at(0, ...departments)).toEqual(
      Array(30).fill('fired/trigger critical'),
    );
  });

  it('beside hundreds that go on is found', () => {
    const fleet = play(named('out-of-scope-act'));
    const many = Array.from({ length: 600 }, (_, i) => finding(`target ${i}`));
    fleet.at(0, ...many);
    const other = finding('one more', { agent: 'editor' });
    expect(fleet.at(2 * MINUTE, ...many, other)).toContain('fired/trigger critical');
  });

  it('of more than a thousand of one alert waits until others are over', () => {
    const fleet = play(named('out-of-scope-act'));
    const many = Array.from({ length: OPEN_MAX + 5 }, (_, i) => finding(`target ${i}`));
    expect(fleet.at(0, ...many)).toHaveLength(OPEN_MAX);
    expect(fleet.at(1_000, finding('one more'))).toEqual([]);
    expect(fleet.open()).toHaveLength(OPEN_MAX);
  });

  it('found twice in one round is one', () => {
    expect(play(named('error-rate')).at(0, finding(), finding())).toEqual(['fired/trigger critical']);
  });
});

describe('pace', () => {
  it('divides every duration, and lets no window get shorter than rows need to arrive', () => {
    const fast = paced(named('out-of-scope-act'), 60);
    expect(fast.keep).toBe(15_000);
    expect(fast.again?.within).toBe(24 * MINUTE);
    expect(fast.window).toBe(15_000);
    expect(fast.repeat).toBe(4 * MINUTE);
    expect(paced(named('collector-unreachable'), 60).for).toBe(2_000);
    expect(paced(named('error-rate'), 1)).toBe(named('error-rate'));
  });
});

describe('a silence', () => {
  const incident = {
    alert: 'error-rate',
    agent: 'writer-2',
    key: 'writer-2',
    severity: 'critical',
  } as Incident;
  const silence = { id: '1', endsMs: 1, reason: '', by: '' };
  it.each([
    [{ alert: 'error-rate' }, true],
    [{ agent: 'writer-*' }, true],
    [{ agent: 'writer-*', alert: 'error-rate' }, true],
    [{ agent: 'writer-2', alert: 'token-burn' }, false],
    [{ agent: 'writer' }, false],
    [{ severity: 'warning' }, false],
  ])('of %o', (matchers, expected) => {
    expect(silences({ ...silence, matchers }, incident)).toBe(expected);
  });
});
