import type { CameraOptions } from './capture';
import { DataPort } from './data';
import { Emitter } from './emitter';
import { ParleyError } from './errors';
import { Files } from './files/files';
import { type LocalSource } from './local';
import { Participant } from './participant';
import type { Json, Kind, Limits, Metadata, ModerateAction, Permission, Stream } from './protocol';
import { type ConnectOptions, type Message, type RoomEvents, type RoomState } from './roomevents';
import type { Quality, StreamStats } from './stats';
export type RoomData = Pick<DataPort, 'send'>;
export type RoomFiles = Pick<Files, 'send' | 'transfers'>;
/** A room we are in. Make one with Room.connect(). */
export declare class Room extends Emitter<RoomEvents> {
    #private;
    /** Small messages to others, through the server. */
    readonly data: RoomData;
    /** Files straight from browser to browser. */
    readonly files: RoomFiles;
    /** Why the room closed, if not by leave(). */
    closedBy: ParleyError | undefined;
    /** Joins a room. The promise ends when the server has let us in; sound and picture follow within moments. */
    static connect(options: ConnectOptions): Promise<Room>;
    private constructor();
    /** The room's name. */
    get name(): string;
    get state(): RoomState;
    /** Ourselves, as the others know us. */
    get me(): Participant;
    /** Everybody in the room by id, ourselves included, in the order of joining. */
    get participants(): ReadonlyMap<string, Participant>;
    /** Ids of those who speak, the loudest first. */
    get speaking(): readonly string[];
    get locked(): boolean;
    /** What we may do. */
    get can(): ReadonlySet<Permission>;
    get limits(): Readonly<Limits>;
    /** The chat: what was said before we came (the last hundred) and since. */
    get messages(): readonly Message[];
    /** Whether the browser keeps the sound off until startAudio() is called in a click. */
    get audioBlocked(): boolean;
    /** What we capture of that kind, and whether the others get it. */
    local(kind: Kind): LocalSource;
    /** Off keeps the microphone open but sends nothing. */
    setMicrophone(on: boolean, options?: {
        deviceId?: string;
    }): Promise<void>;
    /** Off lets go of the camera. */
    setCamera(on: boolean, options?: CameraOptions): Promise<void>;
    /** Lets the user choose what to share; call it in a click. It also ends by the browser's own button: see `local`. */
    setScreen(on: boolean, options?: {
        audio?: boolean;
    }): Promise<void>;
    /** Publishes a track of the page's own making, which stays the page's to stop. */
    publish(kind: Kind, track: MediaStreamTrack): Promise<void>;
    unpublish(kind: Kind): Promise<void>;
    /** Mutes what is published, or lets it be heard and seen again. */
    mute(kind: Kind, muted: boolean): Promise<void>;
    /**
     * Shows a participant's stream in an element: a <video>, or any other, which then gets one. It is received as long as
     * the element can be seen, at the element's size. Our own is shown from here. Returns what ends it.
     */
    attach(element: HTMLElement, participant: string, stream: Stream): () => void;
    /** The tracks that carry a participant's stream now, for pages that do something else with them. */
    tracks(participant: string, stream: Stream): {
        video?: MediaStreamTrack;
        audio?: MediaStreamTrack;
    };
    /** Call it in a click when `audioBlocked` is true. */
    startAudio(): Promise<void>;
    /** Chooses the loudspeaker by its device id; '' is the system's own. */
    setSpeaker(deviceId: string): Promise<void>;
    /** Says something to all, or to one. It comes back as a `message` event. */
    chat(text: string, to?: string): Promise<void>;
    /** Changes our name or metadata, for all to see. */
    update(change: {
        name?: string;
        metadata?: Metadata;
    }): Promise<void>;
    /** For those who may `moderate`. `mute` and `remove` need a participant; `mute` takes one kind, or all. */
    moderate(action: ModerateAction, participant?: string, kind?: Kind): Promise<void>;
    /** Sends one participant any JSON, through the server: for pages that connect by themselves. */
    signal(to: string, data: Json): Promise<void>;
    /** How good a participant's sound and picture arrive, 5 to 1; for ourselves, how they leave. */
    quality(participant: string): Quality | undefined;
    /** Figures of every stream, received and sent. */
    stats(): Promise<StreamStats[]>;
    /** Leaves the room and lets go of camera and microphone. */
    leave(): Promise<void>;
}
