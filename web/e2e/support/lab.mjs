// The project's network lab (internal/lab) from node: two clients behind NATs, the server on a network between them.
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { artifacts, root } from './server.mjs';

export class Lab {
  constructor(prefix) {
    this.prefix = prefix;
    this.bin = join(artifacts, 'netlab');
    execFileSync('go', ['build', '-o', this.bin, './internal/lab/cmd/netlab'], { cwd: root, stdio: 'inherit' });
    this.run('up');
  }
  run(...args) {
    return execFileSync(this.bin, ['-p', this.prefix, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }
  /** The namespace of a node: sfu, turn, natA, natB, cliA, cliB, inet. */
  ns(node) {
    return this.prefix + node;
  }
  nat(side, kind) {
    this.run('nat', side, kind);
  }
  /** Replaces a side's cable by a wire whose lines() change it; see internal/lab/README.md. */
  async wire(side, seed = 1) {
    const child = spawn(this.bin, ['-p', this.prefix, 'wire', side, String(seed)], {
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
