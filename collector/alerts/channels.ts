// Who is told: the fleet's channel for the severity, and the channels of the owner. What is critical goes to the owner's
// pager, everything else (and a critical alert of an owner without one) to where the owner reads.

import type { Severity } from '../../contract/alert.ts';
import type { Channel, ChannelKind, Config } from '../../contract/config/config.ts';

/** How the outbox names a channel; its secret is looked up when it is used. */
export type ChannelName = string;

export function channelsFor(config: Config, severity: Severity, owner: string): ChannelName[] {
  const fleet = severity === 'info' ? 'digest' : severity;
  const names = [fleet, ...ownersChannels(config, severity, owner)];
  const seen = new Set<string>();
  return names.filter((name) => {
    const channel = channelNamed(config, name);
    if (!channel) return false;
    const place = JSON.stringify(channel);
    return seen.size < seen.add(place).size;
  });
}

function ownersChannels(config: Config, severity: Severity, owner: string): ChannelName[] {
  const kinds = Object.keys(config.owners.get(owner) ?? {}) as ChannelKind[];
  const reading = kinds.filter((kind) => kind !== 'pagerduty');
  const wanted = severity === 'critical' && kinds.includes('pagerduty') ? ['pagerduty'] : reading;
  return severity === 'info' ? [] : wanted.map((kind) => `owner:${owner}:${kind}`);
}

/** Undefined when the config in force has no such channel (any more). */
export function channelNamed(config: Config, name: ChannelName): Channel | undefined {
  if (name === 'critical' || name === 'warning' || name === 'digest') return config.alerts[name] ?? undefined;
  const [, owner = '', kind = ''] = /^owner:(.+):([a-z]+)$/.exec(name) ?? [];
  const secret = config.owners.get(owner)?.[kind as ChannelKind];
  return secret && { kind: kind as ChannelKind, secret };
}
