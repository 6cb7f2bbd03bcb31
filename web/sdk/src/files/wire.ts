import type { Json } from '../protocol';

// What two participants tell each other about a file: `signal` messages first, then JSON texts between the file's bytes
// on their own data channel.

export const APP = 'parley.file';

/** What is offered together is one question: so many files, so many bytes in all. */
export interface Batch {
  readonly id: string;
  readonly count: number;
  readonly size: number;
}

export type FileSignal =
  | { type: 'offer'; name: string; size: number; mime: string; batch?: Batch }
  | { type: 'accept' }
  /** `busy`: there are too many offers already. `all`: of the whole batch. */
  | { type: 'reject'; busy?: boolean; all?: boolean }
  | { type: 'cancel' }
  | { type: 'failed' }
  | { type: 'sdp'; kind: 'offer' | 'answer'; sdp: string }
  | { type: 'ice'; candidates: RTCIceCandidateInit[] };

export type ChannelMessage =
  /** The sender has sent everything. */
  | { type: 'done'; sha256: string }
  /** The receiver has stored so many bytes. */
  | { type: 'ack'; bytes: number }
  /** The receiver has checked the SHA-256. */
  | { type: 'verified' }
  | { type: 'cancel' }
  | { type: 'failed'; code: string };

const MOST_CANDIDATES = 64;
const ID = /^[\w-]{8,64}$/;

/** Reads a signal about a file; undefined if it is none, or malformed. */
export function parseSignal(data: Json): { transfer: string; signal: FileSignal } | undefined {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return undefined;
  if (data.app !== APP || typeof data.transfer !== 'string' || !ID.test(data.transfer)) return undefined;
  const signal = readSignal(data);
  return signal && { transfer: data.transfer, signal };
}

function readSignal(data: { [key: string]: Json }): FileSignal | undefined {
  switch (data.type) {
    case 'offer':
      if (typeof data.name !== 'string' || !Number.isSafeInteger(data.size) || (data.size as number) < 0)
        return undefined;
      return {
        type: 'offer',
        name: cleanName(data.name),
        size: data.size as number,
        mime: cleanType(data.mime),
        batch: readBatch(data.batch),
      };
    case 'reject':
      return { type: 'reject', busy: data.busy === true, all: data.all === true };
    case 'accept':
    case 'cancel':
    case 'failed':
      return { type: data.type };
    case 'sdp':
      if (typeof data.sdp !== 'string' || (data.kind !== 'offer' && data.kind !== 'answer')) return undefined;
      return { type: 'sdp', kind: data.kind, sdp: data.sdp };
    case 'ice':
      if (!Array.isArray(data.candidates)) return undefined;
      return { type: 'ice', candidates: data.candidates.slice(0, MOST_CANDIDATES) as RTCIceCandidateInit[] };
    default:
      return undefined;
  }
}

function readBatch(data: Json | undefined): Batch | undefined {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return undefined;
  const { id, count, size } = data;
  if (typeof id !== 'string' || !ID.test(id)) return undefined;
  if (!Number.isSafeInteger(count) || !Number.isSafeInteger(size)) return undefined;
  if ((count as number) < 2 || (size as number) < 0) return undefined;
  return { id, count: count as number, size: size as number };
}

/** Reads a text of the file channel; undefined if it is malformed. */
export function parseChannel(text: string): ChannelMessage | undefined {
  let message: { type?: unknown; sha256?: unknown; bytes?: unknown; code?: unknown } | null;
  try {
    message = JSON.parse(text);
  } catch {
    return undefined;
  }
  switch (message?.type) {
    case 'done':
      return typeof message.sha256 === 'string' ? { type: 'done', sha256: message.sha256 } : undefined;
    case 'ack':
      return Number.isSafeInteger(message.bytes) ? { type: 'ack', bytes: message.bytes as number } : undefined;
    case 'failed':
      return { type: 'failed', code: String(message.code ?? '') };
    case 'verified':
    case 'cancel':
      return { type: message.type };
    default:
      return undefined;
  }
}

/** A file name without folders and without characters that hide what it is. */
export function cleanName(name: string): string {
  const base = name.split(/[/\\]/).pop() ?? '';
  // Control characters, and those that reverse or hide text.
  const visible = [...base].filter((c) => !isHidden(c.codePointAt(0) ?? 0)).join('');
  const trimmed = visible.trim().replace(/^\.+/, '').slice(0, 200);
  return trimmed || 'file';
}

function isHidden(code: number): boolean {
  return (
    code < 0x20 ||
    (code >= 0x7f && code < 0xa0) ||
    (code >= 0x200b && code <= 0x200f) ||
    (code >= 0x202a && code <= 0x202e) ||
    (code >= 0x2066 && code <= 0x2069) ||
    code === 0xfeff
  );
}

function cleanType(type: Json | undefined): string {
  return typeof type === 'string' && /^[\w.+-]+\/[\w.+-]+$/.test(type) ? type : 'application/octet-stream';
}
