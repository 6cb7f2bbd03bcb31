// Numbers for people.

const units = ['B', 'KB', 'MB', 'GB', 'TB'];

/** A size in bytes: "0 B", "1.4 MB", "950 KB". Decimal units, as file managers show them. */
export function bytes(n: number): string {
  let value = Math.max(0, n);
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits).replace(/\.0$/, '')} ${units[unit]}`;
}

/** A speed in bytes per second: "2.1 MB/s". */
export function speed(bytesPerSecond: number): string {
  return `${bytes(bytesPerSecond)}/s`;
}

/** A rate in bits per second: "1.8 Mbit/s", "40 kbit/s". */
export function rate(bitsPerSecond: number): string {
  const kilo = Math.max(0, bitsPerSecond) / 1000;
  return kilo < 999.5 ? `${Math.round(kilo)} kbit/s` : `${(kilo / 1000).toFixed(1)} Mbit/s`;
}

/** A share of 0 to 1: "0 %", "0.4 %", "12 %". */
export function percent(share: number): string {
  const value = Math.max(0, share) * 100;
  return `${value > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} %`;
}

/** The time left, roughly: "5 s left", "2 min left", "1 h 10 min left". Empty when it cannot be told. */
export function timeLeft(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '';
  if (seconds < 60) return `${Math.max(1, Math.ceil(seconds))} s left`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min left`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}

/** A running time: "0:07", "12:34", "1:02:03". */
export function elapsed(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const two = (n: number) => String(n).padStart(2, '0');
  const h = Math.floor(s / 3600);
  const m = Math.floor(s / 60) % 60;
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

/** How long somebody has not answered: "Not reachable for 12 s", after a minute "Not reachable since 14:03". */
export function awayLine(seconds: number, now: Date): string {
  if (seconds < 60) return `Not reachable for ${Math.max(0, Math.round(seconds))} s`;
  return `Not reachable since ${clock(new Date(now.getTime() - seconds * 1000))}`;
}

/** The time of day in the reader's own manner. */
export function clock(at: Date): string {
  if (Number.isNaN(at.getTime())) return '';
  return at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}

/** How long something is good: "1 hour", "24 hours", "7 days". */
export function span(seconds: number): string {
  const of = (n: number, unit: string) => `${n} ${unit}${n === 1 ? '' : 's'}`;
  const minutes = Math.max(1, Math.round(seconds / 60));
  if (minutes < 60) return of(minutes, 'minute');
  const hours = Math.round(minutes / 60);
  return hours <= 48 ? of(hours, 'hour') : of(Math.round(hours / 24), 'day');
}

/** When something ends, as people say it: "today, 14:05", "tomorrow, 14:05", "Friday 4 December, 14:05". */
export function until(at: Date, now: Date): string {
  if (Number.isNaN(at.getTime())) return '';
  const day = (d: Date) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
  const days = Math.round((day(at) - day(now)) / 86_400_000);
  const date = at.toLocaleDateString([], { weekday: 'long', day: 'numeric', month: 'long' });
  return `${days === 0 ? 'today' : days === 1 ? 'tomorrow' : date}, ${clock(at)}`;
}

/** How long to wait: "40 s", "3 min". */
export function shortly(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  return seconds < 100 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}

/** Up to two letters that stand for a name: "Ann Lee" gives "AL", "bob" gives "B". */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const first = firstLetter(words[0] ?? '');
  const last = words.length > 1 ? firstLetter(words[words.length - 1] ?? '') : '';
  return (first + last).toLocaleUpperCase() || '?';
}

function firstLetter(word: string): string {
  return Array.from(word).find((c) => /[\p{L}\p{N}]/u.test(c)) ?? '';
}

/** A hue of 0 to 359 that stays the same for the same id. */
export function hue(id: string): number {
  let h = 0;
  for (const c of id) h = Math.imul(h ^ (c.codePointAt(0) ?? 0), 0x9e3779b1);
  return ((h ^ (h >>> 15)) >>> 0) % 360;
}

/** A list in words: "Ann", "Ann and Bob", "Ann, Bob and 3 others". */
export function names(list: readonly string[], most = 3): string {
  if (list.length <= 1) return list[0] ?? '';
  if (list.length <= most) return `${list.slice(0, -1).join(', ')} and ${list[list.length - 1]}`;
  const rest = list.length - (most - 1);
  return `${list.slice(0, most - 1).join(', ')} and ${rest} others`;
}
