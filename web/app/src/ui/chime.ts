// Two soft notes: somebody asks to join (rising), or we were let in (falling to rest). Nothing is loaded for them.
import { settings } from '../state/settings';

const notes = { knock: [587, 784], admitted: [784, 988] };

let out: AudioContext | undefined;

export function chime(which: keyof typeof notes): void {
  if (!settings.value.sounds || typeof AudioContext !== 'function') return;
  try {
    out ??= new AudioContext();
    void out.resume();
    const start = out.currentTime + 0.02;
    for (const [i, hertz] of notes[which].entries()) tone(out, hertz, start + i * 0.16);
  } catch {
    // No loudspeaker: the words on the screen are enough.
  }
}

function tone(to: AudioContext, hertz: number, at: number): void {
  const source = to.createOscillator();
  const volume = to.createGain();
  source.frequency.value = hertz;
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.07, at + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.5);
  source.connect(volume).connect(to.destination);
  source.start(at);
  source.stop(at + 0.55);
}
