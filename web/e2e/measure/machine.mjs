// How busy the machine is: figures of a busy one say more of it than of the product.
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** Percent of the machine, and of one core what the process used, since `before`. */
export function load(pid, before) {
  const [, ...jiffies] = readFileSync('/proc/stat', 'utf8').split('\n')[0].split(/\s+/).map(Number);
  const own = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  const now = {
    all: jiffies.reduce((a, b) => a + b, 0),
    idle: jiffies[3] + jiffies[4],
    own: Number(own[11]) + Number(own[12]),
  };
  if (!before) return now;
  const all = now.all - before.all;
  return {
    ...now,
    machine: Math.round(100 - (100 * (now.idle - before.idle)) / all),
    server: Math.round((100 * cpus().length * (now.own - before.own)) / all),
  };
}
