// Three bars for a connection's quality.

/** Bars lit for the SDK's level of 1 to 5; undefined: not known yet. Pure. */
export function barsFor(level: number | undefined): 0 | 1 | 2 | 3 {
  if (level === undefined) return 0;
  if (level <= 2) return 1;
  return level === 3 ? 2 : 3;
}

const words = ['not known', 'poor', 'fair', 'good'];

export function Bars({ level, onlyPoor = false }: { level: number | undefined; onlyPoor?: boolean }) {
  const lit = barsFor(level);
  if (lit === 0 || (onlyPoor && lit > 1)) return null;
  return (
    <span
      class={lit === 1 ? 'bars poor' : 'bars'}
      role="img"
      aria-label={`Connection: ${words[lit]}`}
      title={`Connection: ${words[lit]}`}
    >
      {[1, 2, 3].map((n) => (
        <i key={n} class={n <= lit ? 'on' : ''} />
      ))}
    </span>
  );
}
