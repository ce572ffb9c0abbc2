// Hosts in rules: exact and canonical, `*.example.com` for exactly one label, `**` for any host that no upstream
// declares. Everything looser (`*.com`, `a*b.com`) is refused: it would open more than its author sees.

import type { Matcher } from './glob.ts';
import { RuleError } from './rule-error.ts';

export interface HostPattern {
  readonly matches: Matcher;
  /** Reached by pattern only, so never a declared upstream when the rule opens something. */
  readonly loose: boolean;
  /** The host itself when it is exact. */
  readonly exact: string | null;
}

export function compileHost(text: string): HostPattern {
  if (text === '**') return { matches: () => true, loose: true, exact: null };
  if (text.startsWith('*.') && !text.slice(2).includes('*')) return oneLabel(text.slice(2).toLowerCase());
  if (text.includes('*')) {
    throw new RuleError(
      `the host "${text}" is neither exact, nor *.x.y (one label), nor ** (any public host)`,
    );
  }
  const host = canonicalHost(text);
  return { matches: (other) => other === host, loose: false, exact: host };
}

function oneLabel(suffix: string): HostPattern {
  if (!suffix.includes('.') || /(^|\.)\d+$/.test(suffix) || canonicalHost(suffix) !== suffix) {
    throw new RuleError(
      `"*.${suffix}" would match too much: write *. before a domain of at least two labels`,
    );
  }
  const ending = `.${suffix}`;
  const matches = (host: string): boolean => {
    const label = host.length - ending.length;
    return label > 0 && host.endsWith(ending) && host.lastIndexOf('.', label - 1) < 0;
  };
  return { matches, loose: true, exact: null };
}

/** Lower case, A-labels. Ways of hiding an address (`0x7f.1`, `127.1`) are refused, they could never match. */
function canonicalHost(text: string): string {
  const forbidden = /[\s/\\?#@%]/.test(text) || text === '' || text.endsWith('.') || text.includes('..');
  if (forbidden || !URL.canParse(`http://${text}/`)) throw new RuleError(`"${text}" is not a host`);
  const host = new URL(`http://${text}/`).hostname;
  const numeric = /^\d+\.\d+\.\d+\.\d+$/.test(host) || host.startsWith('[');
  if (numeric && host !== text.toLowerCase()) {
    throw new RuleError(`"${text}" can never match: the address is written ${host}`);
  }
  return host;
}
