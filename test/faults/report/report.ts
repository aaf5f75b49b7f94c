import type { Fault } from '../faults/fault.ts';
import type { RunResult } from '../harness/run.ts';
import { escaped } from './escaped.ts';
import { totalsOf, type FaultRun } from './totals.ts';
import { timelineOf } from './timeline.ts';

const FINDINGS_MAX = 30;

/** Everything about one run of faults, on one page that needs nothing else. */
export function reportOf(
  runs: readonly FaultRun[],
  seed: number,
  atMs: number,
  leftOut: readonly (readonly [string, string])[],
): string {
  const totals = totalsOf(runs);
  const cells: readonly (readonly [string, string, boolean])[] = [
    ['faults', `${totals.kept} of ${runs.length} kept all promises`, totals.kept === runs.length],
    ['lost', String(totals.lost), totals.lost === 0],
    ['duplicate', String(totals.duplicate), totals.duplicate === 0],
    ['reordered', String(totals.reordered), totals.reordered === 0],
    ['leaked', String(totals.leaked), totals.leaked === 0],
    [
      'until everybody had everything after a fault',
      `p50 ${seconds(totals.healP50Ms)}, max ${seconds(totals.healMaxMs)}`,
      totals.healMaxMs <= 60_000,
    ],
    ['sends', `${totals.sends.ok} answered, ${totals.sends.unknown} unknown, ${totals.sends.refused} refused`, true],
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Parley under faults</title><style>${STYLE}</style></head><body>
<h1>Parley under faults</h1>
<p>${escaped(new Date(atMs).toISOString())}, seed ${seed}. Real engines, real processes, injected faults; what every client asked for and saw is checked as a whole.</p>
<dl class="cells">${cells.map(([name, value, good]) => `<div class="${good ? 'good' : 'bad'}"><dt>${name}</dt><dd>${escaped(value)}</dd></div>`).join('')}</dl>
<p class="key"><span class="ok">●</span> sent and answered <span class="info">●</span> outcome unknown <span class="fail">●</span> refused <span class="had">|</span> a device has it <span class="fault">▮</span> a fault holds. A line leads from a message to whoever got it more than a second later. Point at a mark to read it.</p>
<table><thead><tr><th>fault</th><th></th><th>verdict</th><th>ok / unknown / refused</th><th>healed in</th></tr></thead><tbody>${runs.map(rowOf).join('')}</tbody></table>
${runs.map(sectionOf).join('\n')}
<h2>Not run here</h2>
<table><tbody>${leftOut.map(([id, why]) => `<tr><td>${id}</td><td>${escaped(why)}</td></tr>`).join('')}</tbody></table>
</body></html>
`;
}

function rowOf({ fault, result }: FaultRun): string {
  const { ok, unknown, refused } = result.sends;
  return `<tr><td class="fixed"><a href="#${fault.id}">${fault.id}</a></td><td>${escaped(fault.title)}</td><td>${verdict(result)}</td><td class="fixed">${ok} / ${unknown} / ${refused}</td><td class="fixed">${seconds(result.healMs)}</td></tr>`;
}

function sectionOf({ fault, result }: FaultRun): string {
  const found = result.findings.slice(0, FINDINGS_MAX);
  return `<section id="${fault.id}"><h2>${fault.id} ${escaped(fault.title)} ${verdict(result)}</h2>
${describe(fault)}
${result.figures.map((figure) => `<p>${escaped(figure)}</p>`).join('')}
${timelineOf(result.history)}
${found.length === 0 ? '' : `<ul>${found.map(({ checker, what }) => `<li><b>${checker}</b> ${escaped(what)}</li>`).join('')}</ul>`}</section>`;
}

function describe({ hypothesis, schedule, asserts }: Fault): string {
  const rows = { Hypothesis: hypothesis, Schedule: schedule, Asserts: asserts };
  return `<dl>${Object.entries(rows)
    .map(([name, text]) => `<dt>${name}</dt><dd>${escaped(text)}</dd>`)
    .join('')}</dl>`;
}

function verdict({ findings }: RunResult): string {
  return findings.length === 0
    ? '<span class="good">kept</span>'
    : `<span class="bad">${findings.length} findings</span>`;
}

function seconds(ms: number | undefined): string {
  return ms === undefined || !Number.isFinite(ms) ? '–' : `${(ms / 1_000).toFixed(1)} s`;
}

const STYLE = `
:root{color-scheme:light dark;--ink:#1d2430;--soft:#6a7385;--paper:#fff;--line:#d9dee7;--good:#137a4b;--bad:#c02a2a;--warn:#b26a00;--fault:#e0525240;--had:#3565c9}
@media (prefers-color-scheme:dark){:root{--ink:#e7eaf0;--soft:#9aa4b5;--paper:#14181f;--line:#333b48;--good:#4cc38a;--bad:#ff7b72;--warn:#e0a040;--fault:#e0525238;--had:#7aa2ff}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:1080px;margin:2rem auto;padding:0 1rem}
h1{margin-bottom:.2em}h2{font-size:1.1rem;margin:2.2em 0 .4em}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.25em .7em .25em 0;border-bottom:1px solid var(--line);vertical-align:top}
a{color:inherit}.fixed{white-space:nowrap}.good{color:var(--good)}.bad{color:var(--bad)}
.cells{display:flex;flex-wrap:wrap;gap:.6rem}.cells div{border:1px solid var(--line);border-radius:8px;padding:.5em .9em}.cells dt{font-size:.8em;color:var(--soft)}.cells dd{margin:0;font-weight:600}
section dl{display:grid;grid-template-columns:max-content 1fr;gap:.1em 1em;margin:.3em 0 .8em}section dt{color:var(--soft)}section dd{margin:0}
svg{width:100%;height:auto;border:1px solid var(--line);border-radius:8px}
svg text{font:10px system-ui,sans-serif;fill:var(--soft)}svg .who{text-anchor:end}svg .tick{text-anchor:middle}svg .name{fill:var(--bad)}
.lane{stroke:var(--line)}rect.fault{fill:var(--fault)}.had{stroke:var(--had);stroke-width:1.2;color:var(--had)}.way{stroke:var(--warn);stroke-width:.4;opacity:.3}
circle.ok{fill:var(--good)}circle.info{fill:var(--warn)}circle.fail{fill:var(--bad)}.key .ok{color:var(--good)}.key .info{color:var(--warn)}.key .fail,.key .fault{color:var(--bad)}
`;
