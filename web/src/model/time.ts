const DAY_MS = 24 * 60 * 60 * 1_000;
const WEEK_DAYS = 7;

const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'long' });
const shortDate = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const longDate = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const longDateWithYear = new Intl.DateTimeFormat(undefined, { dateStyle: 'long' });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' });

/** Midnight, in the reader's time zone, of the day that `atMs` lies in. */
export function startOfDay(atMs: number): number {
  return new Date(atMs).setHours(0, 0, 0, 0);
}

/** Days from `atMs` to `nowMs`; rounded, as a day can have 23 or 25 hours. */
function daysAgo(atMs: number, nowMs: number): number {
  return Math.round((startOfDay(nowMs) - startOfDay(atMs)) / DAY_MS);
}

export function clockLabel(atMs: number): string {
  return clock.format(atMs);
}

export function wholeLabel(atMs: number): string {
  return whole.format(atMs);
}

/** The heading over a day of the timeline. */
export function dayLabel(atMs: number, nowMs: number): string {
  const days = daysAgo(atMs, nowMs);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  if (days > 1 && days < WEEK_DAYS) return weekday.format(atMs);
  const isThisYear = new Date(atMs).getFullYear() === new Date(nowMs).getFullYear();
  return (isThisYear ? longDate : longDateWithYear).format(atMs);
}

/** How the list of conversations says when. */
export function listLabel(atMs: number, nowMs: number): string {
  const days = daysAgo(atMs, nowMs);
  if (days <= 0) return clock.format(atMs);
  if (days === 1) return 'Yesterday';
  return days < WEEK_DAYS ? weekday.format(atMs) : shortDate.format(atMs);
}

export function lastSeenLabel(atMs: number, nowMs: number): string {
  const days = daysAgo(atMs, nowMs);
  const when = days <= 0 ? `at ${clock.format(atMs)}` : days === 1 ? 'yesterday' : `on ${shortDate.format(atMs)}`;
  return `last seen ${when}`;
}
