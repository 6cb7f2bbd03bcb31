/** Hears nothing of a socket any more. */
export function silence(socket: WebSocket): void {
  socket.onopen = null;
  socket.onmessage = null;
  socket.onclose = null;
}

/** A draining server names the seconds after which to come back, in milliseconds here: it spreads its rooms itself. */
export function drainDelay(reason: string): number {
  const seconds = Number(/\d+(\.\d+)?/.exec(reason)?.[0] ?? 0);
  return Math.min(seconds, 60) * 1000;
}
