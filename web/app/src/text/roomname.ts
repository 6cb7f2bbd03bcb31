// Room names: what is allowed (docs/protocol.md) and friendly suggestions.

// "." and ".." are steps in an address: no link leads to a room of that name.
export const roomPattern = /^(?!\.\.?$)[A-Za-z0-9._~-]{1,64}$/;

/** What is wrong with a name; empty where nothing is. */
export function roomFault(name: string): string {
  if (roomPattern.test(name)) return '';
  if (name === '.' || name === '..') return `“${name}” alone leads nowhere in an address. Add a letter or a digit.`;
  return 'Give the room a name of letters, digits or dashes.';
}

const first =
  'amber brave calm clear bright gentle golden green happy kind light lucky merry misty noble quiet quick silver sunny swift warm wild wise young'.split(
    ' ',
  );
const second =
  'badger beaver cedar cloud comet falcon finch forest harbor heron island juniper lake lantern maple meadow otter pebble pine river robin sparrow valley willow'.split(
    ' ',
  );

/** A name like "quiet-otter-427": easy to say, for rooms that are guarded otherwise (24 x 24 x 900, 19 bits). */
export function suggestRoom(random: () => number = secure): string {
  const pick = (list: string[]) => list[Math.floor(random() * list.length)];
  return `${pick(first)}-${pick(second)}-${100 + Math.floor(random() * 900)}`;
}

const consonants = 'bdfghjklmnprstvz';
const vowels = 'aeiou';

/** The bits of chance in a secret name: four words of three consonants (4 bits each) and two vowels (2.32 each). */
export const secretBits = 4 * (3 * Math.log2(consonants.length) + 2 * Math.log2(vowels.length));

/** A name like "lusab-babod-gutih-tugad", for where whoever knows it is in: nobody guesses its 66 bits, and it can be said. */
export function secretRoom(random: () => number = secure): string {
  const pick = (letters: string) => letters[Math.floor(random() * letters.length)];
  const word = () => [consonants, vowels, consonants, vowels, consonants].map(pick).join('');
  return [word(), word(), word(), word()].join('-');
}

// A number from 0 up to 1, of 32 bits that nobody can foresee.
function secure(): number {
  return (crypto.getRandomValues(new Uint32Array(1))[0] as number) / 2 ** 32;
}

/** What a person typed or pasted, as a room name: a whole link gives its room, spaces become dashes. */
export function cleanRoom(typed: string): string {
  const link = typed.match(/\/r\/([^/?#\s]+)/);
  let raw = link?.[1] ?? typed;
  try {
    raw = decodeURIComponent(raw);
  } catch {
    // Not percent-encoded after all: taken as it is.
  }
  return raw
    .trim()
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/\s+/g, '-')
    .replace(/[^A-Za-z0-9._~-]/g, '')
    .slice(0, 64);
}
