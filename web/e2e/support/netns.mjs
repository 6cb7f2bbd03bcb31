// One network namespace with a non-loopback address and a default route: ports never clash, and nothing leaves.
import { execFileSync } from 'node:child_process'

const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })

/** Makes the namespace afresh; its address is 10.50.0.1. */
export function makeNamespace(name) {
  dropNamespace(name)
  ip('netns', 'add', name)
  ip('-n', name, 'link', 'set', 'lo', 'up')
  ip('-n', name, 'link', 'add', 'e0', 'type', 'veth', 'peer', 'name', 'e1')
  ip('-n', name, 'addr', 'add', '10.50.0.1/24', 'dev', 'e0')
  ip('-n', name, 'link', 'set', 'e0', 'up')
  ip('-n', name, 'link', 'set', 'e1', 'up')
  ip('-n', name, 'route', 'add', 'default', 'via', '10.50.0.254', 'dev', 'e0')
  return { name, address: '10.50.0.1', drop: () => dropNamespace(name) }
}

export function dropNamespace(name) {
  try {
    ip('netns', 'del', name)
  } catch {
    // it was not there
  }
}
