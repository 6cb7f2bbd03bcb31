// The image and docker-compose.yml in podman, with a storage of its own, on a machine of the network lab.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './programs.mjs';
import { artifacts, root } from './server.mjs';

const folder = join(artifacts, 'containers');

/** Containers get what this machine allows: runc refuses to raise a limit where CAP_SYS_RESOURCE is missing. */
function configure() {
  const files = /Max open files +\d+ +(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))[1];
  const storage = [
    ...['[storage]', 'driver = "vfs"', `graphroot = "${join(folder, 'storage')}"`],
    `runroot = "${join(folder, 'run')}"`,
  ];
  const engine = [
    ...['[engine]', 'runtime = "runc"', 'cgroup_manager = "cgroupfs"', 'events_logger = "file"'],
    ...['[containers]', `default_ulimits = ["nofile=${files}:${files}", "nproc=1024:1024"]`, 'log_driver = "k8s-file"'],
    ...['[network]', 'network_backend = "netavark"'],
  ];
  writeFileSync(join(folder, 'storage.conf'), `${storage.join('\n')}\n`);
  writeFileSync(join(folder, 'containers.conf'), `${engine.join('\n')}\n`);
}

export class Podman {
  constructor(netns) {
    this.inside = [`--net=/run/netns/${netns}`];
    this.env = {
      ...process.env,
      CONTAINERS_CONF: join(folder, 'containers.conf'),
      CONTAINERS_STORAGE_CONF: join(folder, 'storage.conf'),
    };
    mkdirSync(folder, { recursive: true });
    configure();
  }
  /** Runs podman, or another program that talks to it, on the lab's machine; returns what it printed. */
  run(args, { program = 'podman', env = {}, ...options } = {}) {
    const all = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { ...this.env, ...env }, ...options };
    return runProgram('nsenter', [...this.inside, program, ...args], all).trim();
  }
  /** Builds the Dockerfile; where its first stage's image cannot be had, its last stage with the binary under test. */
  build(tag) {
    try {
      this.run(['build', '-q', '-t', tag, root]);
      return 'Dockerfile';
    } catch (e) {
      const why = String(e.stderr);
      if (!/golang/.test(why)) throw new Error(`podman build: ${why}`);
    }
    const text = readFileSync(join(root, 'Dockerfile'), 'utf8');
    const last = text.slice(text.lastIndexOf('\nFROM ') + 1);
    const context = join(folder, 'context');
    mkdirSync(join(context, 'data'), { recursive: true });
    const own = last
      .replace('COPY --from=build /parley', 'COPY parley')
      .replace('COPY --from=build --chown', 'COPY --chown');
    if (own.includes('--from=build'))
      throw new Error('the last stage of the Dockerfile copies more than the binary and an empty /data');
    writeFileSync(join(context, 'Containerfile'), own);
    copyFileSync(join(root, 'LICENSE'), join(context, 'LICENSE'));
    const out = join(context, 'parley');
    const env = { ...process.env, CGO_ENABLED: '0' };
    runProgram('go', ['build', '-trimpath', '-o', out, './cmd/parley'], { cwd: root, env, stdio: 'inherit' });
    this.run(['build', '-q', '--format', 'docker', '-t', tag, context]);
    return 'its last stage';
  }
  /** docker-compose.yml as it is, with those variables in the environment. */
  compose(args, env) {
    return this.run(['-p', 'parley-e2e', '-f', join(root, 'docker-compose.yml'), ...args], {
      program: 'podman-compose',
      env,
    });
  }
  /** Removes all containers, and what they and the images were stored in. */
  clean() {
    this.run(['rm', '--all', '--force', '--time', '1']);
    this.run(['system', 'reset', '--force']);
    rmSync(folder, { recursive: true, force: true });
  }
}
