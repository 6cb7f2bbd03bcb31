// The project's network lab (internal/lab) from node: three clients behind NATs, the server on a network between them.
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { runProgram, startProgram } from './programs.mjs';
import { artifacts, root, startServer } from './server.mjs';

export class Lab {
  constructor(prefix) {
    this.prefix = prefix;
    this.bin = join(artifacts, 'netlab');
    runProgram('go', ['build', '-o', this.bin, './internal/lab/cmd/netlab'], { cwd: root, stdio: 'inherit' });
    this.run('up');
  }
  run(...args) {
    return runProgram(this.bin, ['-p', this.prefix, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }
  /** The namespace of a node: sfu, turn, inet, natA, cliA and so on. */
  ns(node) {
    return this.prefix + node;
  }
  nat(side, kind) {
    this.run('nat', side, kind);
  }
  /** Replaces a side's cable by a wire whose lines() change it; see internal/lab/README.md. */
  async wire(side, seed = 1) {
    const child = startProgram(this.bin, ['-p', this.prefix, 'wire', side, String(seed)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    await lines.next(); // it is up
    return {
      async set(line) {
        child.stdin.write(`${line}\n`);
        const { value } = await lines.next();
        if (value?.startsWith('error')) throw new Error(`wire: ${value}`);
        return value;
      },
      close() {
        child.stdin.end();
        return new Promise((r) => child.once('exit', r));
      },
    };
  }
  down() {
    this.run('down');
  }
}

export const labSecret = 'a secret for the network lab: 32 bytes';

/** Starts a server on the lab's Internet, with a certificate of its own, since cameras need https. */
export function startLabServer(lab, { name, args = [], env = {} }) {
  const [key, cert] = [join(artifacts, 'lab.key'), join(artifacts, 'lab.pem')];
  const subject = ['-subj', '/CN=203.0.113.10', '-addext', 'subjectAltName=IP:203.0.113.10'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  runProgram('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', cert, '-days', '2', ...subject], {
    stdio: 'ignore',
  });
  return startServer({
    name,
    netns: lab.ns('sfu'),
    http: '203.0.113.10',
    media: '203.0.113.10',
    scheme: 'https',
    // the lab's Internet is a documentation prefix, which the relay refuses by default
    args: [
      ...['--tls-cert', cert, '--tls-key', key, '--public-ip', '203.0.113.10', '--turn-allow', '203.0.113.0/24'],
      ...args,
    ],
    env: { PARLEY_SECRET: labSecret, ...env },
  });
}
