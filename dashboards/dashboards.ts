// Every dashboard, in the order in which they link to each other.

import { agent } from './source/agent.ts';
import { collector } from './source/collector.ts';
import { cost } from './source/cost.ts';
import { fleet } from './source/fleet.ts';
import type { DashboardSource } from './source/panel.ts';
import { reliability } from './source/reliability.ts';

export const DASHBOARDS: readonly DashboardSource[] = [fleet, agent, cost, reliability, collector];
