// May this agent do that? Weighs the rules over everything the call wants: the model, the tools it offers, the tools it
// asks the provider to run. Refuses with `prohibited`, `out_of_scope`, `approval_needed`, `rate_limited`.

import { speaksLlm, type Verdict } from '../../contract/attributes.ts';
import { Refusal } from '../../contract/refusals.ts';
import { judge } from '../../contract/rules/judge.ts';
import type { Judgement } from '../../contract/rules.ts';
import { batchFileOf } from '../batch-file.ts';
import { type Authorized, type Classified, learn, noteRefusal } from '../call.ts';
import type { Description } from '../dialects/dialect.ts';
import type { BatchFile, BatchFiles } from '../state/batch-files.ts';
import type { Rates } from '../state/rates.ts';
import { passesUnjudged } from '../unjudged.ts';
import { factsOf, wantedBy } from '../wanted.ts';

export interface Authorization {
  readonly rates: Rates;
  /** Whether a tool is another than the one that was accepted. */
  changed(upstream: string, tool: string): boolean;
  readonly batchFiles: BatchFiles;
  now(): Date;
}

export function authorize(classified: Classified, use: Authorization): Authorized {
  const batchFile = submittedFile(classified, use);
  const judgement = batchFile?.judgement ?? judgementOf(classified, use);
  const authorized = learn(classified, { judgement, batchFile });
  if (classified.agent.mode === 'enforce' || judgement.verdict === 'prohibited') admit(authorized, use);
  else observe(authorized, use);
  return authorized;
}

function admit(authorized: Authorized, use: Authorization): void {
  const { judgement, agent } = authorized;
  refuseUnless(judgement);
  refuseChanged(authorized, use);
  if (agent.requestRates.length > 0) use.rates.take(agent.name, agent.requestRates, 0);
}

function observe(authorized: Authorized, use: Authorization): void {
  if (!authorized.upstream.declared) mustNamePort(authorized);
  try {
    admit(authorized, use);
  } catch (failure) {
    if (!(failure instanceof Refusal)) throw failure;
    noteRefusal(authorized, failure.code);
  }
}

const WEB_PORTS = new Set(['', '80', '443']);

/** A rule opens exactly the port it names. Where none does, while observing, what nobody declared has the web's alone. */
function mustNamePort({ judgement: { verdict }, upstream }: Authorized): void {
  const { hostname: host, port } = new URL(upstream.url);
  if (verdict === 'allow' || verdict === 'notify' || WEB_PORTS.has(port)) return;
  throw new Refusal(
    'destination_forbidden',
    `Neither an upstream nor a rule names port ${port} of ${host}.`,
    {
      reason: 'port_not_named',
      facts: { host, port: Number(port) },
    },
  );
}

/** What its requests were found to be when it was uploaded: nobody can look at them again. */
function submittedFile(classified: Classified, use: Authorization): BatchFile | undefined {
  try {
    return batchFileOf(classified, use.batchFiles);
  } catch (failure) {
    if (!(failure instanceof Refusal) || !passesUnjudged(classified, classified.upstream)) throw failure;
    noteRefusal(classified, failure.code);
    return undefined;
  }
}

export function judgementOf(call: Classified, use: Pick<Authorization, 'now'>): Judgement {
  const { endpoint, description, upstream, agent } = call;
  if (speaksLlm(upstream.speaks) && endpoint?.billed !== 'free' && asksNothing(description)) {
    return { verdict: 'deny', rule: null, target: `${call.method} ${upstream.url}${call.path}` };
  }
  const judgement = judge(agent.rules, wantedBy(call), (wanted) => factsOf(call, wanted, use.now()));
  const side = sideEndpoint(call);
  return side === null ? judgement : { ...judgement, target: side };
}

/** What a record calls a call that names no model, tool or skill; null for one that does. */
function sideEndpoint({ upstream, endpoint, description }: Classified): string | null {
  if (speaksLlm(upstream.speaks))
    return endpoint?.billed === 'free' ? `${upstream.name}/${endpoint.name}` : null;
  const [act] = description?.acts ?? [];
  return act?.name === '' && description?.acts.length === 1 ? `${upstream.name} (${act.method})` : null;
}

/** A tool whose definition is not the accepted one may do another thing than the rules were written for. */
function refuseChanged({ description, upstream }: Authorized, use: Authorization): void {
  for (const { method, name } of description?.acts ?? []) {
    if (method !== 'tools/call' || !use.changed(upstream.name, name)) continue;
    const target = `${upstream.name}/${name}`;
    throw new Refusal(
      'out_of_scope',
      `${target} was refused: its definition is not the one that was accepted; \`outrider tools\` shows both.`,
      { reason: 'tool_changed', facts: { target } },
    );
  }
}

const asksNothing = (description: Description | undefined): boolean =>
  !description?.model && !description?.requests.length && !description?.inputFile;

const REFUSALS_OF: Readonly<Partial<Record<Verdict, 'prohibited' | 'out_of_scope' | 'approval_needed'>>> = {
  prohibited: 'prohibited',
  deny: 'out_of_scope',
  ask: 'approval_needed',
};

function refuseUnless({ verdict, rule, target }: Judgement): void {
  const code = REFUSALS_OF[verdict];
  if (!code) return;
  const why = rule === null ? 'no rule allows it' : `the rule "${rule}" says ${verdict}`;
  throw new Refusal(code, `${target} was refused: ${why}.`, { facts: { target, rule } });
}
