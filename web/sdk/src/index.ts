export { type Access, access, type Entry, enter, type Host, signIn, signOut } from './access';
export { type CameraOptions, captureCamera, captureMicrophone, type ScreenOptions } from './capture';
export type { SendOptions } from './data';
export { type Devices, levelMeter, listDevices, onDeviceChange } from './devices';
export type { Ban, Invitation, InvitationOptions, Knock } from './door';
export { Emitter } from './emitter';
export { type ErrorCode, ParleyError } from './errors';
export { removeLeftovers } from './files/privatefiles';
export type { AcceptOptions, Transfer, TransferEvents, TransferState } from './files/transfer';
export type { Batch } from './files/wire';
export type { Waiting } from './knocking';
export type { LocalSource } from './local';
export type { MediaState } from './media';
export { Participant, type Source } from './participant';
export { unsupported } from './peer';
export { Presence, type PresenceEvents, type PresenceState, type WatchOptions } from './presence';
export type {
  Json,
  Kind,
  LeaveReason,
  Limits,
  Metadata,
  ModerateAction,
  Permission,
  Reason,
  Stream,
} from './protocol';
export type { Quality } from './quality';
export type { Downlink, RoomStats } from './report';
export { Room } from './room';
export type { ConnectOptions, Message, RoomData, RoomEvents, RoomFiles, RoomState } from './roomevents';
export type { CodecChoice, LayerChoice } from './sending';
export type { PathStats, StreamReason, StreamStats } from './stats';
export type { Token } from './url';
export type { AttachOptions } from './views';
