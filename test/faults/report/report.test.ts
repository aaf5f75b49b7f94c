import { answersOf } from './answers.ts';
import { scene, ROOM } from '../checkers/support/scene.ts';
import { R03 } from '../faults/r-03.ts';
import type { RunResult } from '../harness/run.ts';
import type { Operation } from '../history/history.ts';
import { reportOf } from './report.ts';
import { timelineOf } from './timeline.ts';

function resultOf(history: readonly Operation[], findings: RunResult['findings'] = []): RunResult {
  return {
    history,
    findings,
    healMs: 1_500,
    sends: { ok: 3, unknown: 0, refused: 0 },
    tookMs: 1,
    settledMs: 1,
    figures: ['12 of <them>'],
  };
}

describe('a timeline', () => {
  const count = (svg: string, mark: string): number => svg.split(mark).length - 1;

  it('has a mark for every send and for everybody who has it', () => {
    const svg = timelineOf(scene());
    expect(count(svg, '<circle class="ok"')).toBe(3);
    expect(count(svg, 'class="had"')).toBe(3);
    expect(svg).toContain('ana/phone sends &#34;text 1&#34; at 0.0 s: answered after 20 ms');
    expect(svg).toContain('ben/phone has number 1');
  });

  it('shows when a fault held, and leads a line to whoever got a message late', () => {
    const svg = timelineOf(
      scene(({ history, wait }) => {
        const sent = { conversationId: ROOM, key: 'key-4', text: '<b>"late"</b>', id: '1004', seq: 4 };
        const end = history.begin('Cassandra <killed>');
        history.record('ana/phone', 'invoke', 'send', sent);
        history.record('ana/phone', 'info', 'send', sent);
        wait(5_000);
        end();
        history.record('ben/phone', 'ok', 'show', { ...sent, kind: 'message' });
      }),
    );
    expect(count(svg, '<rect class="fault"')).toBe(1);
    expect(count(svg, '<circle class="info"')).toBe(1);
    expect(count(svg, 'class="way"')).toBe(1);
    expect(svg).not.toContain('<b>');
    expect(svg).not.toContain('<killed>');
  });
});

describe('the report', () => {
  it('says which fault kept its promises, which did not and why, and what was not run', () => {
    const broken = { ...R03, id: 'R-99' as const };
    const runs = [
      { fault: R03, result: resultOf(scene()) },
      { fault: broken, result: resultOf(scene(), [{ checker: 'lost', what: 'ben has not <key-1>' }]) },
    ];
    const page = reportOf(runs, 7, 0, [['R-30', 'AWS only']]);
    expect(page).toContain('1 of 2 kept all promises');
    expect(page).toContain('12 of &#60;them&#62;');
    expect(page).toContain('ben has not &#60;key-1&#62;');
    expect(page).toContain('p50 1.5 s, max 1.5 s');
    expect(page).toContain('seed 7');
    expect(page).toContain('AWS only');
    expect(page).not.toMatch(/src=|href="(?!#)|@import|url\(/);
  });
});

describe('how long senders waited', () => {
  it('is told apart by whether a fault was there when they asked', () => {
    const send = (key: string, type: 'invoke' | 'ok', atMs: number) =>
      ({ process: 'ana/phone', type, f: 'send', value: { conversationId: 'c', key, text: 'x' }, atMs }) as const;
    const fault = (phase: 'begin' | 'end', atMs: number) =>
      ({ process: 'faults', type: 'info', f: 'fault', value: { name: 'off', phase }, atMs }) as const;
    const history = [
      ...[send('a', 'invoke', 0), send('a', 'ok', 20), fault('begin', 100), send('b', 'invoke', 150)],
      ...[send('c', 'invoke', 160), fault('end', 400), send('b', 'ok', 450), send('d', 'invoke', 500)],
    ];
    expect(answersOf(history)).toEqual({ healthy: { count: 1, p99Ms: 20 }, faulty: { count: 1, p99Ms: 300 } });
  });
});
