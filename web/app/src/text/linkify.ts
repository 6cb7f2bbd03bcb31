// Finds web addresses in a text, so that they can be shown as links. Only http and https ever become one.

export type Piece = { text: string; href?: string };

const address = /https?:\/\/[^\s<>"'`]+/giu;

/** Splits a text into plain pieces and links; joined, the pieces' texts are the text again. */
export function linkify(text: string): Piece[] {
  const out: Piece[] = [];
  let at = 0;
  for (const found of text.matchAll(address)) {
    const shown = trimEnd(found[0]);
    const href = safe(shown);
    if (!href) continue;
    if (found.index > at) out.push({ text: text.slice(at, found.index) });
    out.push({ text: shown, href });
    at = found.index + shown.length;
  }
  if (at < text.length) out.push({ text: text.slice(at) });
  return out;
}

// The full stop that ends a sentence is not part of the address; nor is a bracket that was opened before it.
function trimEnd(s: string): string {
  let out = s;
  for (;;) {
    const last = out[out.length - 1] ?? '';
    const unbalanced = last === ')' && count(out, '(') < count(out, ')');
    if (!/[.,;:!?…\]}]/.test(last) && !unbalanced) return out;
    out = out.slice(0, -1);
  }
}

function count(s: string, c: string): number {
  return s.split(c).length - 1;
}

function safe(s: string): string | undefined {
  try {
    const url = new URL(s);
    const web = url.protocol === 'http:' || url.protocol === 'https:';
    return web && url.hostname !== '' ? url.href : undefined;
  } catch {
    return undefined;
  }
}
