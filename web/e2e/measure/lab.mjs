// Measures the picture in real browsers over a bad network: `make lab`, or
// `node web/e2e/measure/lab.mjs [SIDE=down|up|join|all] [STEPS=...] [SECONDS=20] [SEED=1] [CONTENT=talk|FILE.y4m] [VIEWER=firefox] [JOINS=9] [WRITE=1]`.
// A publisher and two viewers sit behind a NAT each; the wire is in the way of one viewer (down) or of the publisher (up).
// It needs root, and a machine with nothing else to do. Prints tables and leaves everything in artifacts/lab-SIDE.json.
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { newPage, startChromium } from '../support/browsers.mjs';
import { newFirefoxPage, startFirefox } from '../support/firefox.mjs';
import { joinGuest } from '../support/guest.mjs';
import { Lab, labSecret, startLabServer } from '../support/lab.mjs';
import { runProgram } from '../support/programs.mjs';
import { artifacts, root, token, until } from '../support/server.mjs';
import { contents, makeAudio, makeVideo } from './content.mjs';
import { measureJoins } from './join.mjs';
import { load } from './machine.mjs';
import { installProbe, judge, takeProbe, takeSent } from './probe.mjs';
import { joinTable, stepTable, writeInto } from './report.mjs';
import { parseSteps, wireLines } from './steps.mjs';

const settings = {
  SIDE: 'all',
  STEPS: '',
  SECONDS: '20',
  SEED: '1',
  CONTENT: 'talk',
  VIEWER: 'chromium',
  JOINS: '9',
  WRITE: '',
};
for (const argument of process.argv.slice(2)) {
  const [name, ...value] = argument.split('=');
  if (!(name in settings)) throw new Error(`no setting ${name}: ${Object.keys(settings).join(', ')}`);
  settings[name] = value.join('=') || settings[name];
}
const { CONTENT, VIEWER } = settings;
const SEED = Number(settings.SEED);

/** Chromium or Firefox in a client's namespace; `devices` are the flags of its camera and microphone. */
async function start(lab, node, browser, devices = []) {
  if (browser === 'firefox') {
    const firefox = await startFirefox({ netns: lab.ns(node) });
    return { close: () => firefox.close(), page: () => newFirefoxPage(firefox), firefox: true };
  }
  const chromium = await startChromium({ netns: lab.ns(node), args: ['--ignore-certificate-errors', ...devices] });
  return { close: () => chromium.close(), page: () => newPage(chromium) };
}

async function enter(browser, server, room, name, { install = [], ...options } = {}) {
  const page = await browser.page();
  if (browser.firefox) {
    await page.evaluateOnNewDocument(installProbe);
    await page.setViewport({ width: 1300, height: 800 });
  } else for (const script of [installProbe, ...install]) await page.context().addInitScript(script);
  const guest = await joinGuest(null, server.url, {
    ...{ room, name, page, camera: false, microphone: false, tile: [1280, 720] },
    ...options,
    token: token(['--room', room, '--identity', name], labSecret),
  });
  return { ...guest, name, firefox: browser.firefox };
}

const devices = () => {
  const camera = contents.includes(CONTENT) ? makeVideo(artifacts, { kind: CONTENT, seed: SEED }) : CONTENT;
  return [
    `--use-file-for-fake-video-capture=${camera}`,
    `--use-file-for-fake-audio-capture=${makeAudio(artifacts, SEED)}`,
  ];
};

/** The server's counters, without the runtime's. */
async function counters(server) {
  const { text } = await server.admin_get('/metrics');
  return Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line.startsWith('parley_'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

const risen = (before, after) =>
  Object.fromEntries(
    Object.entries(after)
      .map(([k, v]) => [k, v - (before[k] ?? 0)])
      .filter(([, v]) => v !== 0),
  );

async function runStep(step, { wire, direction, viewers, ann, server }) {
  for (const line of wireLines(step, direction)) await wire.set(line);
  const began = await counters(server);
  const from = load(server.pid);
  const first = await Promise.all(viewers.map((v) => v.page.evaluate(takeProbe)));
  const sentBefore = await ann.page.evaluate(takeSent);
  const timeline = [];
  const seen = viewers.map(() => []);
  let last = first;
  for (let s = 1; s <= step.seconds; s++) {
    await new Promise((r) => setTimeout(r, Math.max(0, s * 1000 - (Date.now() - step.at))));
    const [takes, sent] = await Promise.all([
      // Every other second: more often would also make the page's own look at its figures more frequent.
      Promise.all(viewers.map((v) => v.page.evaluate(takeProbe, (step.seconds - s) % 2 === 0))),
      ann.page.evaluate(takeSent),
    ]);
    for (const [i, t] of takes.entries()) seen[i].push(...t.frames);
    timeline.push(moment(s, last, takes, sent));
    last = takes;
  }
  const to = load(server.pid, from);
  const sent = await ann.page.evaluate(takeSent);
  return {
    ...step,
    wire: await wire.set(''),
    viewers: viewers.map((v, i) => {
      const verdict = judge(first[i], last[i], seen[i], first[i].frames.at(-1)?.[0] ?? v.lastFrame);
      v.lastFrame = seen[i].at(-1)?.[0] ?? v.lastFrame;
      return { name: v.name, ...verdict };
    }),
    sent: layersBetween(sentBefore, sent, step.seconds),
    cpu: { machine: to.machine, server: to.server },
    server: risen(began, await counters(server)),
    timeline,
  };
}

/** One second of the run: for each viewer its frames, lines and rate, and what the publisher sends. */
function moment(second, before, takes, sent) {
  return {
    second,
    viewers: takes.map((t, i) => ({
      fps: t.sum.framesDecoded - before[i].sum.framesDecoded,
      lines: t.frames.at(-1)?.[1],
      kbps: Math.round(((t.sum.bytesReceived - before[i].sum.bytesReceived) * 8) / (t.now - before[i].now)),
      nacks: t.sum.nackCount - before[i].sum.nackCount,
      plis: t.sum.pliCount - before[i].sum.pliCount,
      rtt: t.sum.rtt,
      buffered: Math.round(
        (1000 * (t.sum.jitterBufferDelay - before[i].sum.jitterBufferDelay)) /
          Math.max(1, t.sum.jitterBufferEmittedCount - before[i].sum.jitterBufferEmittedCount),
      ),
      concealed: t.sum.audio_concealedSamples - before[i].sum.audio_concealedSamples,
      downlink: t.downlink,
      reasons: t.reasons,
    })),
    publisher: sent.estimate,
  };
}

function layersBetween(before, after, seconds) {
  return Object.fromEntries(
    Object.entries(after.layers).map(([rid, l]) => {
      const b = before.layers[rid] ?? { frames: 0, bytes: 0, nack: 0, pli: 0, encode: 0, again: 0 };
      const frames = l.frames - b.frames;
      return [
        rid,
        {
          fps: Math.round((10 * frames) / seconds) / 10,
          kbps: Math.round(((l.bytes - b.bytes) * 8) / seconds / 1000),
          height: l.height,
          ...{ nacks: l.nack - b.nack, plis: l.pli - b.pli, again: l.again - b.again },
          encode_ms: frames > 0 ? Math.round((10_000 * (l.encode - b.encode)) / frames) / 10 : 0,
          ...{ limit: l.limit, active: l.active, codec: l.codec },
        },
      ];
    }),
  );
}

/** A run of steps without a pause. */
async function measureSteps(lab, server, side) {
  const steps = parseSteps(settings.STEPS, Number(settings.SECONDS));
  const wire = await lab.wire('A', SEED);
  const places =
    side === 'down' ? { ann: 'cliC', near: 'cliA', far: 'cliB' } : { ann: 'cliA', near: 'cliB', far: 'cliC' };
  const browsers = [];
  try {
    browsers.push(
      ...(await Promise.all([
        start(lab, places.ann, 'chromium', devices()),
        start(lab, places.near, VIEWER),
        start(lab, places.far, 'chromium'),
      ])),
    );
    const room = `lab-${side}`;
    const ann = await enter(browsers[0], server, room, 'Ann', { camera: true, microphone: true });
    const names = side === 'down' ? ['bad link', 'clean link'] : ['first', 'second'];
    const viewers = [];
    for (const [i, name] of names.entries()) viewers.push(await enter(browsers[i + 1], server, room, name));
    for (const v of viewers)
      await until(`720 lines at ${v.name}`, () => v.page.evaluate(() => window.probe.firstOf[720] > 0), 30_000);
    await new Promise((r) => setTimeout(r, 3000));
    const run = { side, viewer: VIEWER, content: CONTENT, seed: SEED, at: new Date().toISOString(), steps: [] };
    for (const step of steps) {
      step.at = Date.now();
      const done = await runStep(step, { wire, direction: side, viewers, ann, server });
      run.steps.push(done);
      const seen = done.viewers.map(
        (v) => `${v.name}: ${v.fps} fps, ${v.lines} lines, ${v.frozen} s frozen, gap ${v.gap}`,
      );
      console.error(`${step.name}: ${seen.join('; ')}; machine ${done.cpu.machine} %, server ${done.cpu.server} %`);
    }
    return run;
  } finally {
    for (const b of browsers) await b.close();
    await wire.close();
  }
}

/** One line on a run: when, of what, where. */
function about(run) {
  const commit = runProgram('git', ['describe', '--tags', '--always', '--dirty'], {
    cwd: root,
    encoding: 'utf8',
  }).trim();
  const busy = run.steps?.map((s) => s.cpu.machine) ?? [run.machine];
  return `${run.at.slice(0, 10)}, parley ${commit}, content ${run.content ?? CONTENT}, seed ${run.seed ?? SEED}, ${cpus().length} cores, ${Math.min(...busy)} to ${Math.max(...busy)} % busy.`;
}

async function main() {
  const wanted = settings.SIDE === 'all' ? ['down', 'up', 'join'] : [settings.SIDE];
  const lab = new Lab('pm_');
  try {
    for (const side of wanted) {
      const server = await startLabServer(lab, { name: `lab-${side}` });
      try {
        const run =
          side === 'join'
            ? await measureJoins({ lab, server, start, enter, devices: devices(), times: Number(settings.JOINS) })
            : await measureSteps(lab, server, side);
        const name = `lab-${side}${VIEWER === 'firefox' ? '-firefox' : ''}`;
        writeFileSync(join(artifacts, `${name}.json`), `${JSON.stringify(run, null, 1)}\n`);
        const table = side === 'join' ? joinTable(run) : stepTable(run);
        console.log(`\n${name}\n\n${table}\n`);
        if (settings.WRITE) writeInto(join(root, 'docs/media.md'), name, `${about(run)}\n\n${table}`);
      } finally {
        await server.stop();
      }
    }
  } finally {
    lab.down();
  }
}

await main();
process.exit(0);
