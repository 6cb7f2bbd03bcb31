// Statistics as rows of words and numbers.
import type { RoomStats, StreamStats } from 'parley-sdk';
import { percent, rate } from './format';

export type Row = readonly [name: string, value: string];

const media: Record<RoomStats['state'], string> = {
  none: 'without sound and picture',
  connecting: 'connecting',
  connected: 'connected',
  reconnecting: 'interrupted, connecting again',
  failed: 'no way through, still trying',
};

const states: Record<string, string> = {
  hold: 'steady',
  increase: 'rising',
  decrease: 'falling',
  probe: 'trying for more',
};

const kinds: Record<StreamStats['kind'], string> = {
  camera: 'Camera',
  microphone: 'Microphone',
  screen: 'Screen',
  screen_audio: 'Sound of the screen',
};

const sizes: Record<string, string> = { q: 'small', h: 'medium', f: 'large' };

/** The connection as a whole. */
export function connectionRows(s: RoomStats): Row[] {
  const d = s.downlink;
  return rows([
    ['Sound and picture', media[s.state]],
    ['Way', s.path.transport && way(s.path.transport)],
    ['Round trip', ms(d?.rtt ?? s.path.rtt)],
    ['You receive', rate(s.received)],
    [
      'Your line takes',
      d?.estimate ? `${rate(d.estimate)}${d.state ? `, ${states[d.state] ?? d.state}` : ''}` : undefined,
    ],
    ['Lost', d?.loss === undefined ? undefined : percent(d.loss)],
    ['Waiting in the network', ms(d?.queue)],
    ['You send', rate(s.sent)],
    ['You could send', s.path.uplink && rate(s.path.uplink)],
  ]);
}

/** One stream in full. */
export function streamRows(s: StreamStats): Row[] {
  return rows([
    ['Why', s.reason === 'best' ? s.why : undefined], // others are said above
    ['Codec', s.codec],
    ['Layer', layer(s)],
    ['Size', s.width && s.height ? `${s.width} × ${s.height}` : undefined],
    ['Frames a second', s.fps === undefined ? undefined : String(Math.round(s.fps))],
    ['Bit rate', rate(s.bitrate)],
    ['Aims at', s.target ? rate(s.target) : undefined],
    ['Lost', s.loss === undefined ? undefined : percent(s.loss)],
    ['Jitter', ms(s.jitter)],
    ['Round trip', ms(s.rtt)],
    ['Stood still', freezes(s)],
    ['Sound made up', s.concealed === undefined ? undefined : percent(s.concealed)],
  ]);
}

/** "Camera", or of what we send "Camera, large". */
export function streamTitle(s: StreamStats): string {
  const size = s.direction === 'out' && s.rid ? sizes[s.rid] : undefined;
  return size ? `${kinds[s.kind]}, ${size}` : kinds[s.kind];
}

/** A stream on one line: "1280 × 720 · 30 fps · 1.6 Mbit/s". */
export function headline(s: StreamStats): string {
  if (s.bitrate === 0) return s.active === false ? 'not sent' : 'nothing flows';
  const parts = [];
  if (s.width && s.height) parts.push(`${s.width} × ${s.height}`);
  if (s.fps) parts.push(`${Math.round(s.fps)} fps`);
  parts.push(rate(s.bitrate));
  if (s.loss && s.loss >= 0.01) parts.push(`${percent(s.loss)} lost`);
  return parts.join(' · ');
}

function layer(s: StreamStats): string | undefined {
  const parts = [];
  if (s.rid) parts.push(s.rid);
  if (s.spatial !== undefined) parts.push(`size ${s.spatial + 1}`);
  if (s.temporal !== undefined) parts.push(`rate ${s.temporal + 1}`);
  if (s.scalability) parts.push(s.scalability);
  return parts.join(', ') || undefined;
}

function freezes(s: StreamStats): string | undefined {
  if (s.freezes === undefined) return undefined;
  if (s.freezes === 0) return 'never';
  return `${s.freezes} ${s.freezes === 1 ? 'time' : 'times'}, ${(s.frozenSeconds ?? 0).toFixed(1)} s in all`;
}

function way(transport: string): string {
  if (transport === 'relay') return 'by a relay';
  return transport === 'tcp' ? 'TCP' : 'UDP, straight';
}

function ms(value: number | undefined): string | undefined {
  return value === undefined ? undefined : `${Math.round(value)} ms`;
}

function rows(all: readonly (readonly [string, string | 0 | undefined])[]): Row[] {
  return all.filter((row): row is Row => Boolean(row[1]));
}
