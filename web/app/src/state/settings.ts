// What this browser remembers between visits: the name, recent rooms, devices, shortcuts. Nothing leaves it.
import { signal } from '@preact/signals';

export interface Settings {
  name: string;
  /** Room names, the newest first. */
  recent: string[];
  cameraOn: boolean;
  microphoneOn: boolean;
  camera: string;
  microphone: string;
  speaker: string;
  shortcuts: boolean;
  sounds: boolean;
}

export const defaults: Settings = {
  name: '',
  recent: [],
  cameraOn: true,
  microphoneOn: true,
  camera: '',
  microphone: '',
  speaker: '',
  shortcuts: true,
  sounds: true,
};

const storageKey = 'parley.settings';
const recentMost = 6;

/** Settings from their stored text; whatever is missing or of the wrong type gets its default. */
export function parseSettings(text: string | null): Settings {
  let raw: Record<string, unknown> = {};
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    if (value && typeof value === 'object') raw = value as Record<string, unknown>;
  } catch {
    // Damaged: start anew.
  }
  const out: Settings = { ...defaults };
  for (const key of Object.keys(defaults) as (keyof Settings)[]) {
    const value = raw[key];
    if (key === 'recent') {
      if (Array.isArray(value))
        out.recent = value.filter((r): r is string => typeof r === 'string').slice(0, recentMost);
    } else if (typeof value === typeof defaults[key]) {
      (out as unknown as Record<string, unknown>)[key] = value;
    }
  }
  return out;
}

/** The recent rooms after visiting one. */
export function visited(recent: readonly string[], room: string): string[] {
  return [room, ...recent.filter((r) => r !== room)].slice(0, recentMost);
}

export const settings = signal<Settings>(defaults);

export function loadSettings(): void {
  try {
    settings.value = parseSettings(localStorage.getItem(storageKey));
  } catch {
    // Storage is off: the defaults serve.
  }
}

export function saveSettings(change: Partial<Settings>): void {
  settings.value = { ...settings.value, ...change };
  try {
    localStorage.setItem(storageKey, JSON.stringify(settings.value));
  } catch {
    // Storage is off or full: remembered until the page is closed.
  }
}
