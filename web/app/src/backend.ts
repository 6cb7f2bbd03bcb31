// What the pages need of the SDK. The real one is bound in main.tsx; fake.ts has one for development and tests.
import type * as sdk from 'parley-sdk';

export type Watch = Pick<sdk.Presence, keyof sdk.Presence>;
export type FileTransfer = Pick<sdk.Transfer, keyof sdk.Transfer>;
export type CallRoom = Pick<sdk.Room, keyof sdk.Room>;

export interface Backend {
  access: typeof sdk.access;
  signIn: typeof sdk.signIn;
  signOut: typeof sdk.signOut;
  enter: typeof sdk.enter;
  connect(options: sdk.ConnectOptions): Promise<CallRoom>;
  watch(options: { room: string; token?: sdk.Token }): Watch;
  listDevices: typeof sdk.listDevices;
  onDeviceChange: typeof sdk.onDeviceChange;
  levelMeter: typeof sdk.levelMeter;
  captureMicrophone: typeof sdk.captureMicrophone;
  captureCamera: typeof sdk.captureCamera;
  unsupported: typeof sdk.unsupported;
}

let bound: Backend | undefined;

/** Binds the backend, once, before anything is drawn. */
export function bind(backend: Backend): void {
  bound = backend;
}

export function backend(): Backend {
  if (!bound) throw new Error('no backend is bound');
  return bound;
}
