// The flags of `outrider policy`, and how its answers are printed for programs.

export const POLICY_OPTIONS = {
  config: { type: 'string' },
  agent: { type: 'string' },
  args: { type: 'string' },
  since: { type: 'string', default: '7d' },
  url: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

export interface PolicyFlags {
  readonly config?: string;
  readonly agent?: string;
  readonly args?: string;
  readonly since: string;
  readonly url?: string;
  readonly json: boolean;
}

export const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
