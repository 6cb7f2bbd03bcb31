// Starts the real binary, built once per run, on ports of its own, and stops it the way an operator would.
import { createWriteStream, mkdirSync, mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram, runProgram, startProgram } from './programs.mjs';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
export const artifacts = join(root, 'artifacts');
mkdirSync(artifacts, { recursive: true });

/** The binary under test: PARLEY_BIN, else one built from this tree. */
export const binary = (() => {
  if (process.env.PARLEY_BIN) return process.env.PARLEY_BIN;
  const out = join(artifacts, 'parley');
  runProgram('go', ['build', '-o', out, './cmd/parley'], { cwd: root, stdio: 'inherit' });
  return out;
})();

/** A TCP port that was free a moment ago. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const s = createServer();
    s.once('error', reject);
    s.listen(0, '127.0.0.1', () => {
      const { port } = s.address();
      s.close(() => resolve(port));
    });
  });
}

const dataFolders = new Map();

/** Where a server keeps its data: who is started again on the same port finds it. */
function dataFolder(port) {
  if (!dataFolders.has(port)) dataFolders.set(port, mkdtempSync(join(tmpdir(), 'parley-data-')));
  return dataFolders.get(port);
}

/** Waits until check() is truthy and returns its value; throws with what after timeout ms. */
export async function until(what, check, timeout = 10_000, every = 50) {
  const end = Date.now() + timeout;
  let last;
  for (;;) {
    try {
      last = await check();
      if (last) return last;
    } catch (e) {
      last = e;
    }
    if (Date.now() > end)
      throw new Error(
        `waited ${timeout} ms for ${what}; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`,
      );
    await new Promise((r) => setTimeout(r, every));
  }
}

/**
 * Starts a server. `args` are extra flags; `media` is the address of the media ports (default: as without configuration); `netns` runs it in
 * a network namespace (HTTP then stays on that namespace's 127.0.0.1 unless `http` says otherwise).
 */
export async function startServer({
  args = [],
  env = {},
  name = 'server',
  media = '',
  http = '127.0.0.1',
  netns,
  port,
  scheme = 'http',
  tries = 3,
} = {}) {
  const listen = port ?? (await freePort());
  const udp = await freePort();
  const admin = await freePort();
  const argv = [
    'serve',
    '--listen',
    `${http}:${listen}`,
    '--udp',
    `${media}:${udp}`,
    '--tcp',
    `${media}:${udp}`,
    '--admin',
    `127.0.0.1:${admin}`,
    ...args,
  ];
  const log = createWriteStream(join(artifacts, `${name}-${listen}.log`));
  const [cmd, full] = netns ? ['ip', ['netns', 'exec', netns, binary, ...argv]] : [binary, argv];
  const own = { PARLEY_DATA: dataFolder(listen) };
  const child = startProgram(cmd, full, { env: { ...process.env, ...own, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  let exit;
  const exited = new Promise((r) => child.once('exit', (code, signal) => r((exit = { code, signal }))));
  const inside = (path) => {
    if (!netns)
      return fetch(`http://127.0.0.1:${admin}${path}`).then(async (r) => ({ status: r.status, text: await r.text() }));
    const out = runProgram(
      'ip',
      ['netns', 'exec', netns, 'curl', '-s', '-w', '\n%{http_code}', `http://127.0.0.1:${admin}${path}`],
      { encoding: 'utf8' },
    );
    const cut = out.lastIndexOf('\n');
    return { status: Number(out.slice(cut + 1)), text: out.slice(0, cut) };
  };
  const server = {
    url: `${scheme}://${http}:${listen}`,
    host: http,
    port: listen,
    udp,
    admin,
    pid: child.pid,
    child,
    log: log.path,
    admin_get: inside,
    /** The sum of a metric's samples, over all labels that match the given substring. */
    async metric(name, label = '') {
      const { text } = await inside('/metrics');
      let sum = 0;
      for (const line of text.split('\n'))
        if (line.startsWith(name) && /[ {]/.test(line[name.length]) && line.includes(label))
          sum += Number(line.slice(line.lastIndexOf(' ') + 1));
      return sum;
    },
    async stop() {
      if (!exit) child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
      await exited;
      clearTimeout(timer);
      log.end();
      return exit;
    },
  };
  try {
    await until(
      'the server to be ready',
      async () => {
        if (exit) throw new Error(`the server exited with ${JSON.stringify(exit)}: see ${log.path}`);
        return (await inside('/readyz')).status === 200;
      },
      15_000,
    );
  } catch (e) {
    await server.stop();
    // a port that was free a moment ago may not be any more
    if (exit.code === 1 && port === undefined && tries > 1)
      return startServer({ args, env, name, media, http, netns, scheme, tries: tries - 1 });
    throw e;
  }
  return server;
}

/** Prints a token with the binary's own command. */
export function token(args, secret) {
  return runProgram(binary, ['token', ...args], {
    encoding: 'utf8',
    env: { ...process.env, PARLEY_SECRET: secret },
  }).trim();
}

export const root_user = process.getuid?.() === 0 && Boolean(findProgram('nft'));
