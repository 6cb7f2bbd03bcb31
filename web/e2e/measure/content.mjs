// What the lab's publisher shows and says: a Y4M and a WAV file for Chromium's fake devices, made from a seed. They loop
// without a jump, so that the encoders meet no scene cut that was not asked for.
import { closeSync, existsSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A seeded generator of numbers from 0 to 1 (a 32-bit mix of a counter). */
export function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return ((z ^ (z >>> 16)) >>> 0) / 2 ** 32;
  };
}

// noise: how far the luma of a pixel strays, of 255. pan: whether the whole picture moves. cuts: another scene so often, frames.
const kinds = {
  talk: { noise: 3, pan: false, cuts: 0 }, // a head that moves before a still room
  pan: { noise: 3, pan: true, cuts: 0 }, // the camera moves too
  noisy: { noise: 10, pan: false, cuts: 0 }, // a dark room's sensor
  cuts: { noise: 3, pan: false, cuts: 30 },
  still: { noise: 1, pan: false, cuts: 0 },
};

/** The names of what there is. */
export const contents = Object.keys(kinds);

/** A plane with soft, repeating structure; it wraps at its edges. */
function texture(random, width, height, depth) {
  const out = new Uint8ClampedArray(width * height);
  const waves = Array.from({ length: 6 }, () => ({
    x: (1 + Math.floor(random() * 12)) * ((2 * Math.PI) / width),
    y: (1 + Math.floor(random() * 9)) * ((2 * Math.PI) / height),
    phase: random() * 2 * Math.PI,
  }));
  const boxes = Array.from({ length: 40 }, () => ({
    x: Math.floor(random() * width),
    y: Math.floor(random() * height),
    w: 20 + Math.floor(random() * 120),
    h: 20 + Math.floor(random() * 120),
    level: (random() - 0.5) * depth,
  }));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      let v = 0;
      for (const w of waves) v += Math.sin(w.x * x + w.y * y + w.phase);
      out[y * width + x] = 110 + (v / waves.length) * depth;
    }
  for (const b of boxes)
    for (let y = b.y; y < b.y + b.h; y++)
      for (let x = b.x; x < b.x + b.w; x++) out[(y % height) * width + (x % width)] += b.level;
  return out;
}

/** Writes `seconds` of video at 30 fps, once for the same arguments, and returns its path. */
export function makeVideo(folder, { kind = 'talk', seed = 1, width = 1280, height = 720, seconds = 4 } = {}) {
  const how = kinds[kind];
  if (!how) throw new Error(`no content ${kind}, there are ${contents.join(', ')}`);
  const path = join(folder, `camera-${kind}-${seed}-${width}x${height}.y4m`);
  if (existsSync(path)) return path;
  const random = chance(seed);
  const frames = seconds * 30;
  const scenes = Array.from({ length: how.cuts ? Math.ceil(frames / how.cuts) : 1 }, () =>
    texture(random, width, height, 90),
  );
  const head = texture(random, 256, 256, 60);
  const grain = Int8Array.from({ length: 1 << 20 }, () => Math.round((random() + random() - 1) * how.noise));
  const luma = new Uint8ClampedArray(width * height);
  const chroma = new Uint8Array((width * height) / 2).fill(128);
  const file = openSync(`${path}.part`, 'w');
  writeSync(file, `YUV4MPEG2 W${width} H${height} F30:1 Ip A1:1 C420jpeg\n`);
  for (let f = 0; f < frames; f++) {
    const turn = (2 * Math.PI * f) / frames;
    drawScene(
      luma,
      scenes[how.cuts ? Math.floor(f / how.cuts) : 0],
      width,
      how.pan ? Math.round((width * f) / frames) : 0,
    );
    drawHead(luma, head, width, height, {
      x: width / 2 + Math.sin(2 * turn) * width * 0.12,
      y: height / 2 + Math.sin(3 * turn) * height * 0.08,
      radius: height * (0.26 + 0.01 * Math.sin(5 * turn)),
    });
    let g = Math.floor(random() * grain.length);
    for (let i = 0; i < luma.length; i++) luma[i] += grain[g++ & (grain.length - 1)];
    writeSync(file, 'FRAME\n');
    writeSync(file, luma);
    writeSync(file, chroma);
  }
  closeSync(file);
  renameSync(`${path}.part`, path);
  return path;
}

function drawScene(luma, scene, width, shift) {
  if (!shift) return luma.set(scene);
  for (let at = 0; at < luma.length; at += width) {
    luma.set(scene.subarray(at + shift, at + width), at);
    luma.set(scene.subarray(at, at + shift), at + width - shift);
  }
}

function drawHead(luma, head, width, height, { x, y, radius }) {
  for (let dy = -Math.floor(radius); dy <= radius; dy++) {
    const row = Math.round(y + dy);
    if (row < 0 || row >= height) continue;
    const half = Math.floor(Math.sqrt(radius * radius - dy * dy));
    for (let dx = -half; dx <= half; dx++)
      luma[row * width + Math.round(x + dx)] = 50 + head[((dy & 255) << 8) | (dx & 255)];
  }
}

/** Writes six seconds of something like speech (syllables of a voiced sound with pauses), and returns its path. */
export function makeAudio(folder, seed = 1) {
  const path = join(folder, `voice-${seed}.wav`);
  if (existsSync(path)) return path;
  const random = chance(seed + 77);
  const rate = 48_000;
  const samples = new Int16Array(6 * rate);
  for (let at = 0; at < samples.length; ) {
    const length = Math.floor(rate * (0.12 + 0.15 * random()));
    const pitch = 100 + 80 * random();
    const loud = random() < 0.15 ? 0 : 0.3 + 0.4 * random();
    for (let i = 0; i < length && at + i < samples.length; i++) {
      const t = i / rate;
      let v = 0;
      for (let h = 1; h <= 12; h++) v += Math.sin(2 * Math.PI * pitch * h * t) / h;
      samples[at + i] = 9000 * loud * Math.sin((Math.PI * i) / length) * v;
    }
    at += length;
  }
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + samples.byteLength, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20); // PCM
  head.writeUInt16LE(1, 22); // mono
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(2 * rate, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(samples.byteLength, 40);
  writeFileSync(path, Buffer.concat([head, Buffer.from(samples.buffer)]));
  return path;
}
