// What the control API asks of the rooms behind it. Tests and the collector's main hand them in.

import type {
  AgentLine,
  BudgetLine,
  Heartbeat,
  LeaseRequest,
  LeaseResponse,
  Recall,
  TaskEnd,
} from '../../contract/budget.ts';

export interface ApiServices {
  /** The token's name, or null when it is none of ours. */
  authenticate(token: string | null): string | null;
  lease(request: LeaseRequest): Promise<LeaseResponse>;
  budgets(): Promise<readonly BudgetLine[]>;
  /** Posts every expired slice that nobody settled; how many there were. */
  writeOff(): Promise<number>;
  agents(): Promise<readonly AgentLine[]>;
  heartbeat(beat: Heartbeat): Promise<void>;
  endTask(task: string, end: TaskEnd): Promise<void>;
  /** Told of every recall for an instance; the returned function ends it. */
  onRecall(agent: string, instance: string, tell: (recall: Recall) => void): () => void;
  /** Where this collector takes OTLP: sidecars learn it from their heartbeat's answer. */
  otlpUrl(): string;
  /** What keeps the collector from full service; empty when nothing does. */
  missing(): readonly string[];
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
}
