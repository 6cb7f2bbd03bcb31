import { afterEach, describe, expect, it, vi } from 'vitest';
import { comesBack, keepIn } from '../src/state/again';
import { cameraOn, microphoneOn } from '../src/state/own';
import { settings } from '../src/state/settings';

const store = new Map<string, string>();
vi.stubGlobal('sessionStorage', {
  getItem: (k: string) => store.get(k) ?? null,
  setItem: (k: string, v: string) => store.set(k, v),
});
const navigation = (type: string) =>
  vi.spyOn(performance, 'getEntriesByType').mockReturnValue([{ type } as unknown as PerformanceEntry]);

afterEach(() => {
  store.clear();
  vi.restoreAllMocks();
});

describe('a page that is reloaded in a call', () => {
  it('goes back into that room once, with what was on', () => {
    microphoneOn.value = false;
    cameraOn.value = true;
    keepIn('club');
    navigation('reload');
    expect(comesBack('club')).toBe(true);
    expect(settings.value).toMatchObject({ microphoneOn: false, cameraOn: true });
    expect(comesBack('club')).toBe(false);
  });

  it('goes back into no other room, and into none that was left or opened anew', () => {
    keepIn('club');
    navigation('reload');
    expect(comesBack('other')).toBe(false);
    keepIn('club')();
    expect(comesBack('club')).toBe(false);
    keepIn('club');
    navigation('navigate');
    expect(comesBack('club')).toBe(false);
  });
});
