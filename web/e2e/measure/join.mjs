// Joining a running room from behind a NAT, and layer switches by resizing the tile: milliseconds, as the page sees them.
import { until } from '../support/server.mjs';
import { load } from './machine.mjs';
import { installTimeline, timelineOf } from './timeline.mjs';

const IDLE = 7000; // ms after which a publisher whom nobody watches sends no picture
const SETTLE = 1000; // ms that a page is open before it joins: the browser's work on a new window is not the join's

/** Runs in the page: sets the tile's size, and says after how many ms a frame of that many lines is shown. */
function switchTo({ size, lines }) {
  return new Promise((done, failed) => {
    const timer = setTimeout(() => failed(new Error(`no frame of ${lines} lines in 10 s`)), 10_000);
    const [{ el }] = window.tiles.values();
    const began = performance.now();
    window.tileSize = size;
    el.style.width = `${size[0]}px`;
    el.style.height = `${size[1]}px`;
    const seen = (now, frame) => {
      if (frame.height !== lines) return el.requestVideoFrameCallback(seen);
      clearTimeout(timer);
      done(now - began);
    };
    el.requestVideoFrameCallback(seen);
  });
}

export async function measureJoins({ lab, server, start, enter, devices, times }) {
  const [publisher, viewer] = await Promise.all([
    start(lab, 'cliC', 'chromium', devices),
    start(lab, 'cliA', 'chromium'),
  ]);
  const lines = [];
  const joins = {
    'first frame': [],
    'first 720p': [],
    'first 720p, nobody watched': [],
    'switch down': [],
    'switch up': [],
  };
  const join = async (name) => {
    const options = { settle: SETTLE, install: [installTimeline] };
    const guest = await enter(viewer, server, 'joins', name, options);
    const full = () => guest.page.evaluate(() => window.probe.firstOf[720] > 0);
    await until('720 lines', full, 20_000, 10);
    const [probe, marks] = await guest.page.evaluate(() => [window.probe, window.marks]);
    await guest.leave();
    return { first: probe.first, full: probe.firstOf[720], line: timelineOf(marks, probe.first) };
  };
  try {
    await enter(publisher, server, 'joins', 'Ann', { camera: true, microphone: true });
    // One viewer stays, so that the room runs and all layers are wanted.
    const stays = await enter(viewer, server, 'joins', 'stays');
    await until('720 lines', () => stays.page.evaluate(() => window.probe.firstOf[720] > 0), 30_000);
    const from = load(server.pid);
    // First: joins, on a machine that runs it all, make the browser's sound wait longer, and lips in sync make the picture wait with it.
    await new Promise((r) => setTimeout(r, 3000));
    for (let i = 0; i < times; i++) {
      await new Promise((r) => setTimeout(r, 700 + 130 * i)); // at any moment between two keyframes
      joins['switch down'].push(await stays.page.evaluate(switchTo, { size: [320, 180], lines: 180 }));
      await new Promise((r) => setTimeout(r, 700 + 170 * i));
      joins['switch up'].push(await stays.page.evaluate(switchTo, { size: [1280, 720], lines: 720 }));
    }
    for (let i = 0; i < times; i++) {
      const { first, full, line } = await join(`guest ${i}`);
      joins['first frame'].push(first);
      joins['first 720p'].push(full);
      lines.push(line);
    }
    await stays.leave();
    for (let i = 0; i < 3; i++) {
      await new Promise((r) => setTimeout(r, IDLE));
      joins['first 720p, nobody watched'].push((await join(`first ${i}`)).full);
    }
    const steps = Object.keys(lines[0] ?? {}).map((name) => [name, lines.map((l) => l[name])]);
    const timeline = Object.fromEntries(steps);
    return { side: 'join', at: new Date().toISOString(), joins, timeline, machine: load(server.pid, from).machine };
  } finally {
    await publisher.close();
    await viewer.close();
  }
}
