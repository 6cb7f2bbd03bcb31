// What a viewer sees, recorded in its page: the time and size of every frame that reached the screen.

/** Runs in the page before anything else: notes each frame of each tile that joinGuest makes. */
export function installProbe() {
  const probe = { frames: [], first: undefined, firstOf: {} };
  window.probe = probe;
  window.onTile = (el, clicked) => {
    const seen = (now, frame) => {
      probe.frames.push([Math.round(now * 10) / 10, frame.height]);
      probe.first ??= now - clicked;
      probe.firstOf[frame.height] ??= now - clicked;
      el.requestVideoFrameCallback(seen);
    };
    el.requestVideoFrameCallback(seen);
  };
}

/** Runs in the page: the frames since the last call and what the browser counts, now; `server`: and what the server estimates. */
export async function takeProbe(server = false) {
  const sum = {};
  const add = (prefix, s, names) => {
    for (const n of names) if (s[n] !== undefined) sum[prefix + n] = (sum[prefix + n] ?? 0) + s[n];
  };
  for (const pc of window.__pcs) {
    if (pc.connectionState === 'closed') continue;
    for (const s of (await pc.getStats()).values()) {
      if (s.type === 'inbound-rtp' && s.kind === 'video')
        add('', s, [
          ...['framesReceived', 'framesDecoded', 'framesDropped', 'keyFramesDecoded', 'freezeCount'],
          ...['totalFreezesDuration', 'nackCount', 'pliCount', 'firCount', 'packetsReceived', 'packetsLost'],
          ...['retransmittedPacketsReceived', 'bytesReceived', 'jitterBufferDelay', 'jitterBufferEmittedCount'],
          ...['totalDecodeTime'],
        ]);
      if (s.type === 'inbound-rtp' && s.kind === 'audio')
        add('audio_', s, [
          ...['packetsReceived', 'packetsLost', 'packetsDiscarded', 'bytesReceived', 'totalSamplesReceived'],
          ...['concealedSamples', 'silentConcealedSamples', 'concealmentEvents', 'fecPacketsReceived'],
          ...['jitterBufferDelay', 'jitterBufferEmittedCount'],
        ]);
      if (s.type === 'candidate-pair' && s.nominated && s.currentRoundTripTime)
        sum.rtt = Math.round(s.currentRoundTripTime * 1000);
    }
  }
  const told = server ? await window.room.stats() : undefined;
  const { frames } = window.probe;
  window.probe.frames = [];
  const reasons = told?.streams.filter((s) => s.direction === 'in').map((s) => s.reason);
  return { now: performance.now(), frames, sum, downlink: told?.downlink, reasons };
}

/** Runs in the publisher's page: what each layer of its camera has sent so far. */
export async function takeSent() {
  const layers = {};
  let estimate;
  for (const pc of window.__pcs) {
    if (pc.connectionState === 'closed') continue;
    for (const s of (await pc.getStats()).values()) {
      if (s.type === 'outbound-rtp' && s.kind === 'video' && s.framesEncoded > 0)
        layers[s.rid ?? ''] = {
          frames: s.framesEncoded,
          bytes: s.bytesSent,
          again: s.retransmittedPacketsSent,
          height: s.frameHeight,
          nack: s.nackCount,
          pli: s.pliCount,
          encode: s.totalEncodeTime,
          limit: s.qualityLimitationReason,
          active: s.active,
          codec: s.encoderImplementation,
        };
      if (s.type === 'candidate-pair' && s.nominated && s.availableOutgoingBitrate)
        estimate = Math.round(s.availableOutgoingBitrate / 1000);
    }
  }
  return { layers, estimate };
}

const differences = (before, after) =>
  Object.fromEntries(Object.entries(after).map(([k, v]) => [k, k === 'rtt' ? v : v - (before[k] ?? 0)]));

/**
 * What a viewer saw from one take to the next. `last` is the time of the frame before the first. Times are in ms of the
 * page's clock; a freeze is W3C's: an interval of at least three times the average of the last 30, and 150 ms over it. Unlike
 * a browser's counters, which tell of a freeze only when it is over, one that lasts is counted so far.
 */
export function judge(before, after, frames, last) {
  const seconds = (after.now - before.now) / 1000;
  const d = differences(before.sum, after.sum);
  const seen = intervals(frames, last, before.now, after.now);
  const audio = d.audio_totalSamplesReceived > 0 ? (100 * d.audio_concealedSamples) / d.audio_totalSamplesReceived : 0;
  return {
    seconds: round(seconds, 1),
    fps: round(d.framesDecoded / seconds, 1),
    shown: round(frames.length / seconds, 1),
    lines: mostOf(frames),
    share: shares(frames),
    freezes: seen.freezes,
    frozen: round(seen.frozen / 1000, 2),
    gap: Math.round(seen.longest),
    concealed: round(audio, 2),
    nacks: d.nackCount,
    plis: (d.pliCount ?? 0) + (d.firCount ?? 0),
    lost: d.packetsLost,
    kbps: Math.round((d.bytesReceived * 8) / seconds / 1000),
    settled: settled(frames, before.now, after.now),
    top: firstAt(frames, before.now, after.now, 720, 27),
    buffered:
      d.jitterBufferEmittedCount > 0 ? Math.round((1000 * d.jitterBufferDelay) / d.jitterBufferEmittedCount) : 0,
    estimate: after.downlink?.estimate && Math.round(after.downlink.estimate / 1000),
    counted: d,
  };
}

const round = (x, digits) => Math.round(x * 10 ** digits) / 10 ** digits;

/** Freezes and the longest gap within the step: of what spans its ends, the part inside, over or not. */
function intervals(frames, last, from, to) {
  const out = { longest: 0, freezes: 0, frozen: 0 };
  const recent = [];
  let before = last ?? from;
  for (const t of [...frames.map(([at]) => at), to]) {
    const gap = t - before;
    const inside = Math.max(0, t - Math.max(before, from));
    out.longest = Math.max(out.longest, inside);
    const mean = recent.length > 0 ? recent.reduce((a, b) => a + b, 0) / recent.length : 1000 / 30;
    if (gap >= Math.max(3 * mean, mean + 150)) {
      out.freezes++;
      out.frozen += inside;
    }
    recent.push(gap);
    if (recent.length > 30) recent.shift();
    before = t;
  }
  return out;
}

/** The number of lines that most of the frames have. */
function mostOf(frames) {
  const [most] = Object.entries(shares(frames)).sort((a, b) => b[1] - a[1]);
  return most ? Number(most[0]) : 0;
}

function shares(frames) {
  const out = {};
  for (const [, lines] of frames) out[lines] = (out[lines] ?? 0) + 1;
  for (const lines of Object.keys(out)) out[lines] = round((100 * out[lines]) / frames.length, 0);
  return out;
}

/** Frames in the second that begins at t, and whether all have that many lines. */
function second(frames, t, lines) {
  let n = 0;
  for (const [at, has] of frames) {
    if (at < t || at >= t + 1000) continue;
    if (has !== lines) return -1;
    n++;
  }
  return n;
}

/** Seconds until lines and rate are what they are in the last five seconds, and stay so. */
function settled(frames, from, to) {
  const late = frames.filter(([t]) => t >= to - 5000);
  if (late.length < 5) return undefined;
  const lines = mostOf(late);
  const rate = late.length / Math.min(5, (to - from) / 1000);
  for (let t = to - 1000; ; t -= 100) {
    if (t < from) return 0;
    if (second(frames, t, lines) < 0.8 * rate)
      return t + 1000 > to - 1000 ? undefined : round((t + 100 - from) / 1000, 1);
  }
}

/** Seconds until the first second with that many lines and frames begins. */
function firstAt(frames, from, to, lines, rate) {
  for (let t = from; t + 1000 <= to; t += 100) if (second(frames, t, lines) >= rate) return round((t - from) / 1000, 1);
  return undefined;
}
