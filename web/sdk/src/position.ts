// Positions in a room's log, `<epoch>.<seq>`.

function split(position: string): [epoch: string, seq: number] {
  const dot = position.lastIndexOf('.');
  return [position.slice(0, dot), Number(position.slice(dot + 1))];
}

/** Whether `position` is one that a reader who stands at `last` has seen. Another epoch is always news. */
export function seen(position: string, last: string | undefined): boolean {
  if (last === undefined) return false;
  const [epoch, seq] = split(position);
  const [lastEpoch, lastSeq] = split(last);
  return epoch === lastEpoch && seq <= lastSeq;
}

/** Names the room's log: another one is of a server, or a room, that was started anew. */
export function epoch(position: string | undefined): string {
  return position === undefined ? '' : split(position)[0];
}
