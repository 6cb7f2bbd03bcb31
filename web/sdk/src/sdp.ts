/** The media sections of a description, in order. */
export interface Section {
  kind: 'audio' | 'video' | 'application';
  mid: string;
}

/** Reads kinds and mids: before setLocalDescription, transceivers do not know their mid yet. */
export function sections(sdp: string): Section[] {
  const found: Section[] = [];
  for (const line of sdp.split(/\r?\n/)) {
    const media = /^m=(audio|video|application) /.exec(line);
    if (media) found.push({ kind: media[1] as Section['kind'], mid: '' });
    const last = found[found.length - 1];
    if (last && line.startsWith('a=mid:')) last.mid = line.slice(6).trim();
  }
  return found;
}

/**
 * Tells each transceiver its mid in an offer made just now: the one it has, or else, in order, those of its kind that
 * no transceiver has yet.
 */
export function assignMids(sdp: string, transceivers: readonly { mid: string | null; kind: string }[]): string[] {
  const taken = new Set(transceivers.map((t) => t.mid));
  const free = sections(sdp).filter((s) => !taken.has(s.mid));
  return transceivers.map((t) => {
    if (t.mid !== null) return t.mid;
    const at = free.findIndex((s) => s.kind === t.kind);
    if (at < 0) throw new Error(`the offer has no ${t.kind} section for a transceiver`);
    return free.splice(at, 1)[0]!.mid;
  });
}

/**
 * Limits what may be sent on a connection, in bit/s (RFC 3890), by the video sections of an answer but the one with that mid. Chromium takes
 * the limit of the last one for that of the connection, and each for that of its own picture too.
 */
export function limited(sdp: string, but: string | undefined, bitrate: number): string {
  return sdp
    .split(/(?=^m=)/m)
    .map((section) =>
      section.startsWith('m=video') && /^a=mid:(.*?)\r?$/m.exec(section)?.[1] !== but
        ? section.replace(/^b=TIAS:.*\r?\n/gm, '').replace(/^(c=.*)(\r?\n)/m, `$1$2b=TIAS:${bitrate}$2`)
        : section,
    )
    .join('');
}
