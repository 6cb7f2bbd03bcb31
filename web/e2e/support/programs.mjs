// Starts programs that are not ours, which internal/foreign/programs.txt lists and .ci/install installs. Nobody else imports
// node:child_process, so that no test can need a program that a new machine lacks. A path is a program that was built here.
import { execFileSync, spawn } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const list = fileURLToPath(new URL('../../../internal/foreign/programs.txt', import.meta.url));
const listed = new Set(
  readFileSync(list, 'utf8')
    .split('\n')
    .filter((line) => /^[^#@\s]/.test(line))
    .map((line) => line.split(/\s+/)[0]),
);

function check(name, args = []) {
  if (!name.includes('/') && name !== 'go' && !listed.has(name))
    throw new Error(`${name} is not listed in internal/foreign/programs.txt: a new machine would not have it`);
  if (name === 'ip' && args[0] === 'netns' && args[1] === 'exec') check(args[3], args.slice(4));
}

/** Starts a program and returns its process (spawn). */
export function startProgram(name, args, options) {
  check(name, args);
  return spawn(name, args, options);
}

/** Runs a program to its end and returns what it printed (execFileSync). */
export function runProgram(name, args, options) {
  check(name, args);
  return execFileSync(name, args, options);
}

/** Where a program is installed, or undefined. */
export function findProgram(name) {
  check(name);
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not in this folder
    }
  }
}
