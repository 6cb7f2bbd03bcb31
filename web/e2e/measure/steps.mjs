// The steps of a run: what the wire does to the direction that carries the picture, and for how long.

export const named = {
  clean: 'clean',
  loss3: 'loss=3',
  loss10: 'loss=10 delay=30ms',
  jitter: 'delay=100ms jitter=30ms',
  rate500: 'rate=5e5 queue=300ms',
  burst5: 'loss=5 burst=5',
};

export const all = ['clean', 'loss3', 'loss10', 'jitter', 'rate500', 'burst5', 'clean'];

/**
 * Reads "clean,loss3,rate=3e5 queue=200ms:30": names or the wire's own words (internal/lab/README.md), for `seconds` unless a
 * step names its own. Words that begin with up, down or both choose the direction.
 */
export function parseSteps(text, seconds) {
  return (text || all.join(','))
    .split(',')
    .map((s) => s.trim())
    .filter(Boolean)
    .map((s) => {
      const [what, own] = s.split(':');
      const words = named[what] ?? what;
      if (!named[what] && !/^((up|down|both) )?[a-z]+(=|$)/.test(what))
        throw new Error(`no step ${JSON.stringify(what)}: ${Object.keys(named).join(', ')}, or words of the wire`);
      const length = own === undefined ? seconds : Number(own);
      if (!(length >= 2 && length <= 600)) throw new Error(`a step takes 2 to 600 seconds, not ${own ?? seconds}`);
      return { name: what, words, seconds: length };
    });
}

/** The lines that set the wire for a step, in the direction of the picture. */
export function wireLines(step, direction) {
  const [first] = step.words.split(' ');
  const named = ['up', 'down', 'both'].includes(first);
  const line = named ? step.words : `${direction} ${step.words}`;
  const [to, ...words] = line.split(' ');
  return ['both clean', `${to} ${words.filter((w) => w !== 'clean').join(' ')}`.trim()];
}
