// The closed catalogue of refusals: every way Outrider says no. A code is never reused, a test holds code, docs and
// record to this list. Raised where it happens as a Refusal, turned into an answer in one place (sidecar/refuse.ts).

export interface RefusalKind {
  /** HTTP status of the answer, unless a dialect's clients misread it. */
  readonly status: number;
  /** Sent as `x-should-retry`: the SDKs of OpenAI and Anthropic obey it over any status. */
  readonly mayRetry: boolean;
  /** One sentence that says what to do next. */
  readonly advice: string;
}

export const REFUSALS = {
  bad_request: {
    status: 400,
    mayRetry: false,
    advice: 'Correct the request; sending it again unchanged fails again.',
  },
  unknown_agent: {
    status: 401,
    mayRetry: false,
    advice: 'Send an agent key from outrider.yaml, or start the sidecar with --agent NAME.',
  },
  over_budget: {
    status: 402,
    mayRetry: false,
    advice: 'Wait for the window to reset or ask the owner to raise the budget; `outrider budgets` shows it.',
  },
  unpriced: {
    status: 403,
    mayRetry: false,
    advice: 'Add a price for this model under `prices:`, or set `money.unknown_price: pass`.',
  },
  out_of_scope: {
    status: 403,
    mayRetry: false,
    advice:
      "Ask the owner to add an allow rule to the agent's role; `outrider policy explain` shows what was judged.",
  },
  prohibited: {
    status: 403,
    mayRetry: false,
    advice: 'This act is prohibited for the whole fleet and no role can allow it.',
  },
  approval_needed: {
    status: 403,
    mayRetry: false,
    advice:
      'A human must approve this first; go on with other work and retry the same call once it is approved.',
  },
  agent_quarantined: {
    status: 403,
    mayRetry: false,
    advice: 'It is held apart until somebody has looked; its owner decides when it may go on.',
  },
  destination_forbidden: {
    status: 403,
    mayRetry: false,
    advice:
      'Declare the destination under `upstreams:` if it is yours; metadata services and Outrider itself are never reached.',
  },
  rate_limited: { status: 429, mayRetry: true, advice: 'Slow down; retry after the seconds in retry-after.' },
  body_too_large: { status: 413, mayRetry: false, advice: 'Send a smaller body, or raise `limits.body`.' },
  circuit_open: {
    status: 503,
    mayRetry: true,
    advice: 'The upstream is failing and is left alone; retry after the seconds in retry-after.',
  },
  draining: { status: 503, mayRetry: true, advice: 'The sidecar is stopping; retry shortly.' },
  ledger_unreachable: {
    status: 503,
    mayRetry: true,
    advice: 'No budget can be drawn while the collector is away; check that it runs, or set `money.offline`.',
  },
  audit_unavailable: {
    status: 503,
    mayRetry: true,
    advice: 'The journal cannot be written, so nothing may leave; free disk space in the data directory.',
  },
  no_credential: {
    status: 503,
    mayRetry: false,
    advice: "The upstream's credential could not be read; check its `from:` in outrider.yaml.",
  },
  upstream_unreachable: {
    status: 502,
    mayRetry: true,
    advice: "Check the upstream's url and the network.",
  },
  upstream_timeout: {
    status: 504,
    mayRetry: false,
    advice:
      'The upstream did not answer in time; what it did is unknown. Raise `timeouts:` if it is merely slow.',
  },
} as const satisfies Record<string, RefusalKind>;

export type RefusalCode = keyof typeof REFUSALS;
export const REFUSAL_CODES = Object.keys(REFUSALS) as readonly RefusalCode[];

export interface RefusalDetail {
  /** Sub-reason of `bad_request`, e.g. `malformed_json`; snake_case, goes into the body and the record. */
  readonly reason?: string;
  /** Overrides the catalogue's status where HTTP has a more exact one, e.g. 421 for a misdirected request. */
  readonly status?: number;
  /** Overrides the catalogue's `mayRetry`, e.g. for a budget that only holds in flight exhaust. */
  readonly mayRetry?: boolean;
  /** Whole seconds for `retry-after`. */
  readonly retryAfterSeconds?: number;
  /** Facts for the body: limit, spent, held, needed of a budget; the ticket of an approval. */
  readonly facts?: Readonly<Record<string, string | number | boolean | null>>;
}

/** An operating failure on its way to becoming an answer. `message` says what happened, in one sentence. */
export class Refusal extends Error {
  override name = 'Refusal';
  readonly code: RefusalCode;
  readonly detail: RefusalDetail;

  constructor(code: RefusalCode, message: string, detail: RefusalDetail = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.detail = detail;
  }

  get kind(): RefusalKind {
    return REFUSALS[this.code];
  }

  get mayRetry(): boolean {
    return this.detail.mayRetry ?? this.kind.mayRetry;
  }
}
