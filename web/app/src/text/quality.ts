// A connection's quality in sentences: what is seen, why, and what helps.
import type { Reason, StreamStats } from 'parley-sdk';
import { rate } from './format';

export interface QualityInput {
  name: string;
  /** It is our own tile. */
  me: boolean;
  stream: 'camera' | 'screen';
  /** 1 to 5, theirs and our own; undefined while nothing is known. */
  level: number | undefined;
  mine: number | undefined;
  /** The camera or screen is on. */
  on: boolean;
  /** Why the server holds it back, if it does. */
  held: Reason | undefined;
  /** The video of the tile; for our own tile, the largest that leaves. */
  video: StreamStats | undefined;
}

export interface Explained {
  title: string;
  seen: string;
  why: string;
  helps: string;
}

const words = ['not known yet', 'bad', 'poor', 'fair', 'good', 'excellent'];

/** The SDK's level of 1 to 5 as a word. */
export function levelWord(level: number | undefined): string {
  return words[level ?? 0] ?? 'not known yet';
}

/** Explains a tile. */
export function explain(q: QualityInput): Explained {
  const whose = q.me ? 'Your' : `${q.name}’s`;
  return { title: `${whose} connection: ${levelWord(q.level)}`, seen: seen(q), why: why(q), helps: helps(q) };
}

function seen(q: QualityInput): string {
  const what = q.stream === 'screen' ? 'screen' : 'camera';
  if (!q.on) return q.me ? `Your ${what} is off.` : `The ${what} is off: there is only sound.`;
  if (q.held) return `The ${what} is paused: you see the last picture of it. The sound goes on.`;
  const v = q.video;
  if (!v?.width || !v.height || v.bitrate === 0)
    return q.me ? 'Nobody watches you at the moment.' : 'Nothing has come yet.';
  const fps = v.fps ? ` at ${Math.round(v.fps)} frames a second` : '';
  return `${q.me ? 'You send up to' : 'You see'} ${v.width} × ${v.height}${fps}, ${rate(v.bitrate)}.`;
}

function why(q: QualityInput): string {
  if (q.held === 'codec') return 'This browser cannot show the format that is sent.';
  if (q.held) return 'Your connection is too slow for all that you look at; this picture gave way.';
  if (q.on && q.video?.why && !(q.me && q.video.reason === 'unwatched')) return q.video.why;
  if (weak(q.level))
    return q.me ? 'Your connection loses or delays too much.' : 'Their connection loses or delays too much.';
  return '';
}

function helps(q: QualityInput): string {
  if (q.held === 'codec') return 'It changes by itself in a moment; a current browser shows every format.';
  const own = 'Come closer to the Wi-Fi or use a cable, and stop other downloads.';
  const short = q.video?.reason === 'bandwidth' || q.held !== undefined;
  if (q.video?.reason === 'cpu') return 'Close other programs and tabs, or switch your camera off.';
  if (q.me) return weak(q.level) || (q.on && short) ? own : 'Nothing needs to be done.';
  if (short || weak(q.mine)) return q.held ? `${own} Pin this picture to keep it before the others.` : own;
  if (weak(q.level)) return 'It is on their side: they could come closer to their Wi-Fi, or switch their camera off.';
  if (q.on && q.video?.reason === 'size') return 'Click the picture to pin it: it grows, and gets sharper.';
  return 'Nothing needs to be done.';
}

function weak(level: number | undefined): boolean {
  return level !== undefined && level <= 3;
}

/** What stands on a tile whose video is held back. */
export function pausedLine(reason: Reason): string {
  return reason === 'codec' ? 'This browser cannot show this video' : 'Video paused: slow connection';
}
