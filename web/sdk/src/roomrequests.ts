import type { Ban, Door, Invitation, InvitationOptions, Knock } from './door';
import { Emitter } from './emitter';
import type { Reply, Request } from './pending';
import type { Json, Kind, ModerateAction } from './protocol';
import type { RoomEvents } from './roomevents';

/** What a room asks of the server that has nothing to do with sound and picture. */
export abstract class RoomRequests extends Emitter<RoomEvents> {
  protected abstract readonly door: Door;
  protected abstract readonly request: (message: Request) => Promise<Reply>;

  /** Says something to all, or to one. It comes back as a `message` event. */
  async chat(text: string, to?: string): Promise<void> {
    await this.request({ type: 'chat', text, to });
  }

  // `mute` and `remove` need a participant; `mute` takes one kind, or all.
  /** For those who may `moderate`. Whom `remove` takes out stays out until the room ends, unless `ban` is false. */
  async moderate(action: ModerateAction, participant?: string, kind?: Kind, ban?: boolean): Promise<void> {
    await this.request({ type: 'moderate', action, participant, kind, ban });
  }

  /** Sends one participant any JSON, through the server: for pages that connect by themselves. */
  async signal(to: string, data: Json): Promise<void> {
    await this.request({ type: 'signal', to, data });
  }

  /** Those who ask to be let in, as they came; for those who may `moderate`. */
  get waiting(): readonly Knock[] {
    return this.door.waiting;
  }

  /** Lets in one who knocks, or all. */
  admit(knock?: string): Promise<void> {
    return this.door.decide('admit', knock);
  }

  /** Sends one away who knocks, or all. */
  decline(knock?: string): Promise<void> {
    return this.door.decide('decline', knock);
  }

  /** Makes a link that lets guests in; for those who may `invite`. */
  invite(options: InvitationOptions = {}): Promise<Invitation> {
    return this.door.invite(options);
  }

  /** The links that are good: the room's for those who may `moderate`, for others their own. */
  invitations(): Promise<Invitation[]> {
    return this.door.invitations();
  }

  /** Ends one of these, or all. Whoever is in by it stays. */
  revoke(invitation?: string): Promise<void> {
    return this.door.revoke(invitation);
  }

  /** Who was removed and is kept out; for those who may `moderate`. */
  bans(): Promise<Ban[]> {
    return this.door.bans();
  }

  /** Lets an identity back in, or all. */
  unban(identity?: string): Promise<void> {
    return this.door.unban(identity);
  }
}
