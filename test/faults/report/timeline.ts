import type { Operation } from '../history/history.ts';
import { faultWindows, isFresh, operationsOf } from '../history/questions.ts';
import { escaped } from './escaped.ts';

const WIDTH = 1_000;
const LEFT = 150;
const ROW = 28;
const TOP = 34;
const BOTTOM = 26;
/** More would be a black bar, and a page that nobody opens. */
const ROWS_MAX = 14;
const SENDS_MAX = 1_500;
/** A delivery that took longer is drawn with a line from where it was sent. */
const SLOW_MS = 1_000;
const TICKS = 8;
const LABEL_CHARS_MAX = 34;

/** Who sent what, when each fault held, and when each device had it, as one picture. Every mark says more when it is pointed at. */
export function timelineOf(history: readonly Operation[]): string {
  const fromMs = history[0]?.atMs ?? 0;
  const toMs = Math.max(
    fromMs + 1_000,
    ...operationsOf(history, 'show', 'ok').map(({ atMs }) => atMs),
    ...history.filter(({ f }) => f === 'send').map(({ atMs }) => atMs),
  );
  const devices = rowsOf(history);
  const height = TOP + devices.length * ROW + BOTTOM;
  const x = (atMs: number): number => LEFT + ((Math.min(atMs, toMs) - fromMs) / (toMs - fromMs)) * (WIDTH - LEFT - 10);
  const y = (process: string): number => TOP + devices.indexOf(process) * ROW + ROW / 2;
  const parts: string[] = [];
  for (const [i, { name, fromMs: beganMs, toMs: endedMs }] of faultWindows(history).entries()) {
    const left = x(beganMs);
    const width = Math.max(2, x(endedMs) - left);
    parts.push(
      `<rect class="fault" x="${at(left)}" y="${TOP - 6}" width="${at(width)}" height="${devices.length * ROW + 6}">${tip(`${name}: ${seconds(beganMs - fromMs)} to ${seconds(endedMs - fromMs)}`)}</rect>`,
    );
    if (width > 40)
      parts.push(
        `<text class="name" x="${at(left + 3)}" y="${i % 2 === 0 ? 12 : 25}">${escaped(name.slice(0, LABEL_CHARS_MAX))}</text>`,
      );
  }
  for (const process of devices) {
    parts.push(`<text class="who" x="${LEFT - 8}" y="${y(process) + 4}">${escaped(process)}</text>`);
    parts.push(`<line class="lane" x1="${LEFT}" x2="${WIDTH - 10}" y1="${y(process)}" y2="${y(process)}"/>`);
  }
  for (let i = 0; i <= TICKS; i++) {
    const atMs = fromMs + ((toMs - fromMs) * i) / TICKS;
    parts.push(`<text class="tick" x="${at(x(atMs))}" y="${height - 8}">${seconds(atMs - fromMs)}</text>`);
  }
  parts.push(...marksOf(history, devices, x, y, fromMs));
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Timeline">${parts.join('')}</svg>`;
}

function marksOf(
  history: readonly Operation[],
  devices: readonly string[],
  x: (atMs: number) => number,
  y: (process: string) => number,
  fromMs: number,
): string[] {
  const marks: string[] = [];
  const outcomes = new Map<string, { type: string; atMs: number }>();
  for (const { type, value, atMs } of operationsOf(history, 'send', 'ok', 'info', 'fail')) {
    if (outcomes.get(value.key)?.type !== 'ok') outcomes.set(value.key, { type, atMs });
  }
  const sent = new Map<string, { process: string; atMs: number }>();
  for (const { process, value, atMs } of operationsOf(history, 'send', 'invoke').slice(0, SENDS_MAX)) {
    if (!sent.has(value.key)) sent.set(value.key, { process, atMs });
    if (!devices.includes(process)) continue;
    const outcome = outcomes.get(value.key);
    const said = outcome ? `${NAMES[outcome.type] ?? outcome.type} after ${outcome.atMs - atMs} ms` : 'never answered';
    marks.push(
      `<circle class="${outcome?.type ?? 'info'}" cx="${at(x(atMs))}" cy="${y(process) - 3}" r="2.6">${tip(`${process} sends "${value.text.slice(0, LABEL_CHARS_MAX)}" at ${seconds(atMs - fromMs)}: ${said}`)}</circle>`,
    );
  }
  for (const { process, value, atMs } of [
    ...operationsOf(history, 'show', 'ok'),
    ...operationsOf(history, 'receive', 'ok'),
  ]) {
    const from = sent.get(value.key ?? '');
    if (!from || !devices.includes(process) || from.process === process) continue;
    const tookMs = atMs - from.atMs;
    const [left, row] = [at(x(atMs)), y(process)];
    if (tookMs > SLOW_MS && devices.includes(from.process))
      marks.push(`<line class="way" x1="${at(x(from.atMs))}" y1="${y(from.process)}" x2="${left}" y2="${row}"/>`);
    marks.push(
      `<line class="had" x1="${left}" x2="${left}" y1="${row + 1}" y2="${row + 8}">${tip(`${process} has number ${value.seq} "${(value.text ?? value.kind).slice(0, LABEL_CHARS_MAX)}" at ${seconds(atMs - fromMs)}, ${tookMs} ms after it was first sent`)}</line>`,
    );
  }
  return marks;
}

const NAMES: Readonly<Record<string, string>> = { ok: 'answered', info: 'unknown', fail: 'refused' };

/** The devices that did most, in the order in which they came. */
function rowsOf(history: readonly Operation[]): string[] {
  const counts = new Map<string, number>();
  for (const { process, f } of history) {
    if (isFresh(process) || !['send', 'show', 'receive'].includes(f)) continue;
    counts.set(process, (counts.get(process) ?? 0) + 1);
  }
  const busiest = new Set(
    [...counts]
      .sort((a, b) => b[1] - a[1])
      .slice(0, ROWS_MAX)
      .map(([process]) => process),
  );
  return [...counts.keys()].filter((process) => busiest.has(process));
}

function tip(text: string): string {
  return `<title>${escaped(text)}</title>`;
}

function at(value: number): string {
  return value.toFixed(1);
}

function seconds(ms: number): string {
  return Number.isFinite(ms) ? `${(ms / 1_000).toFixed(1)} s` : 'the end';
}
