import { type CameraOptions, type ScreenOptions } from './capture';
import { ParleyError } from './errors';
import type { Reply, Request } from './pending';
import { type Kind } from './protocol';
export interface LocalOwner {
    sender(kind: Kind): RTCRtpSender | undefined;
    request(message: Request): Promise<Reply>;
    changed(kind: Kind): void;
    /** The track that is sent from now on, with what its content asks for. */
    using(kind: Kind, track: MediaStreamTrack): void;
    fault(error: ParleyError): void;
}
/** What we send of one kind. */
export interface LocalSource {
    /** Undefined while nothing is captured: camera off, or never started. */
    readonly track: MediaStreamTrack | undefined;
    /** Whether others see or hear it. */
    readonly on: boolean;
}
/** Our own microphone, camera and screen: what is captured, published and muted. */
export declare class Local {
    #private;
    constructor(owner: LocalOwner);
    get(kind: Kind): LocalSource;
    microphone(on: boolean, options?: {
        deviceId?: string;
    }): Promise<void>;
    /** Off lets go of the device, so that its light goes out. */
    camera(on: boolean, options?: CameraOptions): Promise<void>;
    /** A share is one thing: its picture and its sound come, are replaced and end together. */
    screen(on: boolean, options?: ScreenOptions): Promise<void>;
    publish(kind: Kind, track: MediaStreamTrack): Promise<void>;
    unpublish(kind: Kind): Promise<void>;
    mute(kind: Kind, muted: boolean): Promise<void>;
    /** A moderator muted it: the server has done its part. */
    muted(kind: Kind): void;
    /** After a rejoin: the new connection and session get what the old ones had. */
    republish(): void;
    /** Lets go of every device of ours. */
    close(): void;
}
