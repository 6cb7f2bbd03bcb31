import type { CameraOptions, ScreenOptions } from './capture';
import { Door } from './door';
import { ParleyError } from './errors';
import { type LocalSource } from './local';
import { type MediaState } from './media';
import { Participant } from './participant';
import type { Reply, Request } from './pending';
import type { Kind, Limits, Metadata, Permission, Reason, Stream } from './protocol';
import type { Quality } from './quality';
import { type RoomStats } from './report';
import type { ConnectOptions, Message, RoomData, RoomFiles, RoomState } from './roomevents';
import { RoomRequests } from './roomrequests';
import { type AttachOptions } from './views';
/** A room we are in. Make one with Room.connect(). */
export declare class Room extends RoomRequests {
    #private;
    /** Small messages to others, through the server. */
    readonly data: RoomData;
    /** Files straight from browser to browser. */
    readonly files: RoomFiles;
    /** Why the room closed, if not by leave(). */
    closedBy: ParleyError | undefined;
    protected readonly door: Door;
    protected readonly request: (message: Request) => Promise<Reply>;
    /** Joins a room. The promise ends when the server has let us in; sound and picture follow within moments. */
    static connect(options: ConnectOptions): Promise<Room>;
    private constructor();
    /** The room's name. */
    get name(): string;
    get state(): RoomState;
    /** How the connection does that carries sound and picture; the room's `state` is about the one for everything else. */
    get mediaState(): MediaState;
    /** Ourselves, as the others know us. */
    get me(): Participant;
    /** Everybody in the room by id, ourselves included, in the order of joining. */
    get participants(): ReadonlyMap<string, Participant>;
    /** Ids of those who speak, the loudest first. */
    get speaking(): readonly string[];
    get locked(): boolean;
    /**
     * The newest token: the server renews ours before it ends, so that we can come back for as long as we are in. Keep it for a
     * reload of the page, and give it to Presence.watch().
     */
    get token(): string | undefined;
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
    setScreen(on: boolean, options?: ScreenOptions): Promise<void>;
    /** Publishes a track of the page's own making, which stays the page's to stop. */
    publish(kind: Kind, track: MediaStreamTrack): Promise<void>;
    unpublish(kind: Kind): Promise<void>;
    /** Mutes what is published, or lets it be heard and seen again. */
    mute(kind: Kind, muted: boolean): Promise<void>;
    /**
     * Shows a participant's stream in an element: a <video>, or any other, which then gets one. It is received as long as
     * the element can be seen, at the element's size. Our own is shown from here. Returns what ends it.
     */
    attach(element: HTMLElement, participant: string, stream: Stream, options?: AttachOptions): () => void;
    /** When the network is short, pinned streams come before all others. */
    pin(participant: string, stream: Stream, pinned?: boolean): void;
    /** Why the server holds a participant's video back though it is attached; undefined: it does not. */
    paused(participant: string, stream: Stream): Reason | undefined;
    /** The tracks that carry a participant's stream now, for pages that do something else with them. */
    tracks(participant: string, stream: Stream): {
        video?: MediaStreamTrack;
        audio?: MediaStreamTrack;
    };
    /** Call it in a click when `audioBlocked` is true. */
    startAudio(): Promise<void>;
    /** Chooses the loudspeaker by its device id; '' is the system's own. */
    setSpeaker(deviceId: string): Promise<void>;
    /** Changes our name or metadata, for all to see. */
    update(change: {
        name?: string;
        metadata?: Metadata;
    }): Promise<void>;
    /** How good a participant's connection is, 5 to 1; undefined while nothing flows to tell by. */
    quality(participant: string): Quality | undefined;
    /**
     * Figures of the connection and of every stream, received and sent: what the browser measures, joined with what the server
     * knows. Ask once a second at most: each call is a request.
     */
    stats(): Promise<RoomStats>;
    /** Tries to connect again now, in place of waiting for the next attempt: for a button where `media` is `failed`. */
    retry(): void;
    /** Leaves the room and lets go of camera and microphone. */
    leave(): Promise<void>;
}
