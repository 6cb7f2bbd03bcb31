export interface Devices {
  microphones: MediaDeviceInfo[];
  cameras: MediaDeviceInfo[];
  speakers: MediaDeviceInfo[];
}

/** The devices there are. Their names are empty until the page was allowed to use one. */
export async function listDevices(): Promise<Devices> {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const of = (kind: MediaDeviceKind) => all.filter((d) => d.kind === kind);
  return { microphones: of('audioinput'), cameras: of('videoinput'), speakers: of('audiooutput') };
}

/** Calls `listener` when a device was plugged in or out; returns what ends that. */
export function onDeviceChange(listener: (devices: Devices) => void): () => void {
  const changed = () => void listDevices().then(listener, () => {}); // a page that may not list devices sees none
  navigator.mediaDevices?.addEventListener('devicechange', changed);
  return () => navigator.mediaDevices?.removeEventListener('devicechange', changed);
}

const FLOOR = -60; // dBFS shown as 0
const METER = 1000 / 15; // ms between readings

/** Measures how loud the track is, about 15 times a second, from 0 (silent) to 1 (full scale); returns what stops it. */
export function levelMeter(track: MediaStreamTrack, listener: (level: number) => void): () => void {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 1024, smoothingTimeConstant: 0 });
  const source = context.createMediaStreamSource(new MediaStream([track]));
  source.connect(analyser);
  void context.resume().catch(() => {}); // closed meanwhile
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    listener(loudness(samples));
  }, METER);
  return () => {
    clearInterval(timer);
    source.disconnect();
    if (context.state !== 'closed') void context.close();
  };
}

/** Root mean square of the samples on a logarithmic scale from -60 dBFS (0) to 0 dBFS (1). */
export function loudness(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const rms = Math.sqrt(sum / Math.max(1, samples.length));
  const db = 20 * Math.log10(rms || 1e-9);
  return Math.min(1, Math.max(0, 1 - db / FLOOR));
}
