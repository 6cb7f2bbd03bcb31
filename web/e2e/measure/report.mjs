// The tables of a run.
import { readFileSync, writeFileSync } from 'node:fs';

const show = (v, none = '-') => (v === undefined || v === null || Number.isNaN(v) ? none : String(v));

const columns = [
  ['fps', (v) => v.fps],
  ['lines', (v) => v.lines],
  ['freezes', (v) => v.freezes],
  ['frozen s', (v) => v.frozen],
  ['longest gap ms', (v) => v.gap],
  ['audio concealed %', (v) => v.concealed],
  ['NACKs', (v) => v.nacks],
  ['PLIs', (v) => v.plis],
  ['kb/s', (v) => v.kbps],
  ['estimate kb/s', (v) => v.estimate],
  ['settled s', (v) => v.settled],
  ['720p27 s', (v) => v.top],
];

/** A Markdown table: a row for each step and viewer. */
export function stepTable(run) {
  const head = ['step', 'viewer', ...columns.map(([name]) => name)];
  const rows = run.steps.flatMap((s) =>
    s.viewers.map((v) => [s.name, v.name, ...columns.map(([, of]) => show(of(v)))]),
  );
  return table(head, rows);
}

/** A Markdown table of the joins and layer switches: median and range in ms. */
export function joinTable(run) {
  const steps = Object.entries(run.timeline).map(([what, times]) => [`- ${what}`, times]);
  const rows = [...Object.entries(run.joins), ...steps].map(([what, times]) => {
    const sorted = times.filter((t) => t !== undefined).sort((a, b) => a - b);
    if (sorted.length === 0) return [what, '0', '-', '-'];
    return [
      what,
      `${sorted.length}${sorted.length < times.length ? ` of ${times.length}` : ''}`,
      Math.round(sorted[sorted.length >> 1]),
      `${Math.round(sorted[0])} to ${Math.round(sorted.at(-1))}`,
    ];
  });
  return table(['what, ms', 'times', 'median', 'range'], rows);
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Puts the text between the page's marks of that name. */
export function writeInto(page, name, text) {
  const [from, to] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const old = readFileSync(page, 'utf8');
  const [start, end] = [old.indexOf(from), old.indexOf(to)];
  if (start < 0 || end < start) throw new Error(`${page} has no place for ${name}`);
  writeFileSync(page, `${old.slice(0, start + from.length)}\n${text.trim()}\n${old.slice(end)}`);
}
