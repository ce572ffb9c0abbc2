// Numbers and times as people read them: exact where it is money, short where it is a count, in the viewer's own zone.

export const count = (n: number): string => n.toLocaleString('en-US');

const COMPACT = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });
export const short = (n: number): string => (n < 10_000 ? count(n) : COMPACT.format(n));

/** `4.2 %`; a share that is there but small is never 0. */
export function share(part: number, whole: number): string {
  if (whole === 0) return '–';
  const percent = (part / whole) * 100;
  if (percent > 0 && percent < 0.1) return '< 0.1 %';
  return `${percent >= 10 || percent === 0 ? percent.toFixed(0) : percent.toFixed(1)} %`;
}

export function duration(ms: number | null): string {
  if (ms === null) return '–';
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1_000) return `${ms.toFixed(0)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(2)} s`;
  return span(ms);
}

/** `2 min 05 s`, `3 h 20 min`, `12 d 4 h`. */
export function span(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const [minutes, hours, days] = [
    Math.floor(seconds / 60),
    Math.floor(seconds / 3_600),
    Math.floor(seconds / 86_400),
  ];
  if (days > 0) return `${days} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
  if (minutes > 0) return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`;
  return `${seconds} s`;
}

/** How long something still takes: the farther, the rougher. */
export const until = (ms: number): string =>
  ms >= 2 * 86_400_000 ? `${Math.floor(ms / 86_400_000)} days` : span(ms);

export function ago(iso: string, nowMs: number): string {
  const ms = Math.max(0, nowMs - Date.parse(iso));
  if (ms < 60_000) return 'just now';
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ago`;
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h ago`;
  return `${Math.floor(ms / 86_400_000)} d ago`;
}

const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const SECONDS = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

export const clock = (iso: string): string => CLOCK.format(Date.parse(iso));
export const clockSeconds = (iso: string): string => SECONDS.format(Date.parse(iso));
export const day = (iso: string): string => DAY.format(Date.parse(iso));

/** `14:03:07` today, `3 Nov 14:03` before. */
export function moment(iso: string, nowMs: number): string {
  const isToday = new Date(iso).toDateString() === new Date(nowMs).toDateString();
  return isToday ? clockSeconds(iso) : `${day(iso)} ${clock(iso)}`;
}

/** What stands behind a time when pointed at. */
export const utc = (iso: string): string => `${iso.replace('T', ' ').replace('Z', '')} UTC`;

export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${count(n)} ${n === 1 ? one : many}`;
