// What an invitation allows, in words. Pure.

export interface Choice {
  value: string;
  label: string;
}

export const speak = ['publish', 'subscribe', 'message', 'watch'] as const;
export const listen = ['subscribe', 'message', 'watch'] as const;
export const watchOnly = ['subscribe', 'watch'] as const;

/** "speak, show and chat": what a guest may do by these permissions. */
export function guestMay(can: readonly string[]): string {
  const has = (p: string) => can.includes(p);
  const may = [];
  if (has('publish')) may.push('speak', 'show');
  else if (has('subscribe')) may.push('listen', 'watch');
  if (has('message')) may.push('chat');
  if (has('moderate')) may.push('moderate');
  if (may.length === 0) return 'only be there';
  return may.length === 1 ? (may[0] as string) : `${may.slice(0, -1).join(', ')} and ${may.at(-1)}`;
}

const lists: readonly (readonly string[])[] = [speak, listen, watchOnly];

/** The choices for a guest, none of them more than `mine`; the one that is set is among them. */
export function guestChoices(mine: ReadonlySet<string>, set: readonly string[] | undefined): Choice[] {
  const plain = (can: readonly string[]) => can.filter((p) => p !== 'moderate' && p !== 'invite');
  const all = [...lists.filter((can) => can.every((p) => mine.has(p))), ...(set ? [plain(set)] : [])];
  const byWords = new Map<string, Choice>();
  for (const can of all) {
    const label = sentence(guestMay(can));
    if (!byWords.has(label)) byWords.set(label, { value: can.join(' '), label });
  }
  return [...byWords.values()];
}

/** The choice that a list of permissions is. */
export function chosen(choices: readonly Choice[], can: readonly string[]): string {
  const label = sentence(guestMay(can.filter((p) => p !== 'moderate' && p !== 'invite')));
  return choices.find((c) => c.label === label)?.value ?? '';
}

const lives = [3600, 86_400, 604_800]; // seconds

/** How long links may be good; the one that is set is among them. */
export function lifeChoices(set: number | undefined): number[] {
  const near = (a: number, b: number) => Math.abs(a - b) <= 60;
  const known = set === undefined || lives.some((l) => near(l, set));
  return known ? lives : [...lives, set].sort((a, b) => a - b);
}

/** The life among the choices that is meant: clocks and rounding differ by moments. */
export function lifeOf(choices: readonly number[], seconds: number): number {
  return choices.reduce((best, c) => (Math.abs(c - seconds) < Math.abs(best - seconds) ? c : best), choices[0] ?? 0);
}

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
