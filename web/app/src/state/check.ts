// The check before joining: opens camera and microphone, says what is wrong with them, and hands the tracks over.
import { batch, signal } from '@preact/signals';
import type { Devices } from 'parley-sdk';
import { backend } from '../backend';
import type { Problem } from '../text/problems';
import { codeOf, notify, problemOfDevice } from './notices';
import type { OwnTracks } from './own';
import { type Captured, deviceOf, openSaved } from './saved';
import { saveSettings, settings } from './settings';

export type CheckKind = Captured;

export interface CheckDevice {
  /** Whether the person wants it on. */
  wanted: boolean;
  opening: boolean;
  track: MediaStreamTrack | undefined;
  /** Why it does not open. */
  problem: Problem | undefined;
  /** The code behind the problem. */
  code: string;
}

const closed: CheckDevice = { wanted: false, opening: false, track: undefined, problem: undefined, code: '' };

export const camera = signal<CheckDevice>(closed);
export const microphone = signal<CheckDevice>(closed);
export const devices = signal<Devices>({ cameras: [], microphones: [], speakers: [] });

const state = { camera, microphone };

// Rises with each opening: an answer that comes after a newer question is closed again,
const turn = { camera: 0, microphone: 0 };
// unless it was promised to a call meanwhile.
const promised = { camera: -1, microphone: -1 };

type Opening = Promise<MediaStreamTrack | undefined>;
const opening: Record<CheckKind, Opening> = {
  camera: Promise.resolve(undefined),
  microphone: Promise.resolve(undefined),
};

/** Whether this page may ask for devices at all. */
export function mayCapture(): boolean {
  return typeof navigator.mediaDevices?.getUserMedia === 'function';
}

/** Opens what the person had on the last time; what is open stays open. */
export function startCheck(): void {
  begin('microphone', settings.value.microphoneOn);
  begin('camera', settings.value.cameraOn);
}

function begin(kind: CheckKind, on: boolean): void {
  const { track, opening: underWay } = state[kind].value;
  if (track || underWay) return;
  state[kind].value = { ...closed, wanted: on && mayCapture() };
  if (state[kind].value.wanted) open(kind);
}

/** Follows plugging in and out while the returned function has not been called. */
export function followDevices(): () => void {
  void refreshDevices();
  return backend().onDeviceChange((now) => {
    devices.value = now;
  });
}

async function refreshDevices(): Promise<void> {
  try {
    devices.value = await backend().listDevices();
  } catch {
    // No list without permission in some browsers: the choice stays empty.
  }
}

/** Switches a device on or off for the join. */
export function want(kind: CheckKind, on: boolean): void {
  saveSettings(kind === 'camera' ? { cameraOn: on } : { microphoneOn: on });
  if (on) open(kind);
  else close(kind);
}

/** Chooses another device and opens it if that kind is on. */
export function pick(kind: CheckKind, deviceId: string): void {
  saveSettings({ [kind]: deviceId });
  if (state[kind].value.wanted) open(kind);
}

/** The device that is open. */
export function checkedDevice(kind: CheckKind): string {
  return deviceOf(state[kind].value.track);
}

/** Ends the check, closing everything. */
export function stopCheck(): void {
  close('camera');
  close('microphone');
}

/**
 * Gives the tracks to a call that is being joined; those still opening follow when they are open. They stay on show
 * until the check is forgotten.
 */
export function handOver(): OwnTracks {
  const give = (kind: CheckKind): Opening => {
    promised[kind] = turn[kind];
    const { opening: still, track } = state[kind].value;
    return still ? opening[kind] : Promise.resolve(track);
  };
  return { camera: give('camera'), microphone: give('microphone') };
}

/** Ends the check without closing what was given away. */
export function forgetCheck(): void {
  turn.camera++;
  turn.microphone++;
  batch(() => {
    camera.value = closed;
    microphone.value = closed;
  });
}

function open(kind: CheckKind): void {
  opening[kind] = start(kind);
}

async function start(kind: CheckKind): Opening {
  const mine = ++turn[kind];
  const s = state[kind];
  s.value.track?.stop();
  s.value = { wanted: true, opening: true, track: undefined, problem: undefined, code: '' };
  try {
    const track = await capture(kind);
    if (turn[kind] !== mine) {
      if (promised[kind] === mine) return track;
      track.stop();
      return undefined;
    }
    track.addEventListener('ended', () => {
      if (s.value.track === track) fail(kind, { code: 'device_gone' });
    });
    s.value = { wanted: true, opening: false, track, problem: undefined, code: '' };
    void refreshDevices(); // names are known from now on
    return track;
  } catch (error) {
    if (turn[kind] === mine) fail(kind, error);
    else if (promised[kind] === mine) notify(problemOfDevice(error, kind));
    return undefined;
  }
}

function fail(kind: CheckKind, error: unknown): void {
  state[kind].value = { ...closed, problem: problemOfDevice(error, kind), code: codeOf(error) };
}

function capture(kind: CheckKind): Promise<MediaStreamTrack> {
  return openSaved(kind, kind === 'camera' ? backend().captureCamera : backend().captureMicrophone);
}

function close(kind: CheckKind): void {
  turn[kind]++;
  state[kind].value.track?.stop();
  state[kind].value = closed;
}
