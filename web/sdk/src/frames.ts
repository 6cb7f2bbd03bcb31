// Data channel frames (docs/protocol.md): short strings with their length in front, then the payload.

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

function bytes(text: string, what: string): Uint8Array {
  const encoded = encoder.encode(text);
  if (encoded.length > 255) throw new RangeError(`${what} is longer than 255 bytes`);
  return encoded;
}

/** A frame to the server. No `to` is everybody else. Throws a RangeError where a name is too long. */
export function encodeFrame(to: readonly string[], topic: string, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  if (to.length > 255) throw new RangeError('more than 255 addressees');
  const names = [...to.map((id) => bytes(id, 'a participant id')), bytes(topic, 'the topic')];
  const size = names.reduce((sum, name) => sum + 1 + name.length, 1 + payload.length);
  const frame = new Uint8Array(size);
  frame[0] = to.length;
  let at = 1;
  for (const name of names) {
    frame[at] = name.length;
    frame.set(name, at + 1);
    at += 1 + name.length;
  }
  frame.set(payload, at);
  return frame;
}

export interface Frame {
  from: string;
  topic: string;
  payload: Uint8Array;
}

/** Reads a frame from the server; undefined if it is none. */
export function decodeFrame(buffer: ArrayBuffer): Frame | undefined {
  const frame = new Uint8Array(buffer);
  const from = name(frame, 0);
  const topic = from && name(frame, from.end);
  if (!from || !topic) return undefined;
  return { from: from.text, topic: topic.text, payload: frame.subarray(topic.end) };
}

function name(frame: Uint8Array, at: number): { text: string; end: number } | undefined {
  const length = frame[at];
  if (length === undefined || at + 1 + length > frame.length) return undefined;
  const end = at + 1 + length;
  try {
    return { text: decoder.decode(frame.subarray(at + 1, end)), end };
  } catch {
    return undefined;
  }
}
