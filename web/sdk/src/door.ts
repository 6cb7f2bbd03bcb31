// The room's door, for those inside: who waits to be let in, the links that let guests in, and who is kept out.
import type { Reply, Request } from './pending';
import type { Permission, SessionEvent, WireKnock } from './protocol';

/** Somebody who asks to be let in. */
export interface Knock {
  readonly id: string;
  readonly identity: string;
  readonly name: string;
  readonly guest: boolean;
  readonly since: Date;
  /** The participant whose name looks the same. */
  readonly like?: string;
}

/** A link that lets guests into the room. */
export interface Invitation {
  readonly id: string;
  /** What the link carries: `/r/{room}#invite=…` on the server's own pages. */
  readonly invite: string;
  /** The identity, and the name, of who made it. */
  readonly by: string;
  readonly byName: string;
  readonly can: readonly Permission[];
  /** Guests ask first. */
  readonly knock: boolean;
  readonly label?: string;
  readonly madeAt: Date;
  readonly expiresAt: Date;
  /** How often it was used. */
  readonly uses: number;
}

/** What an invitation should be. */
export interface InvitationOptions {
  /** Seconds it is good for; the server has a default and a limit. */
  ttl?: number;
  /** Guests ask first. Default false. */
  knock?: boolean;
  /** Nothing that we may not do ourselves. Default: what the server gives guests. */
  can?: readonly Permission[];
  label?: string;
}

/** Somebody who was removed, and is kept out. */
export interface Ban {
  readonly identity: string;
  readonly name: string;
  readonly at: Date;
  /** The moderator's identity. */
  readonly by: string;
  /** They came by this one, which lets nobody new in. */
  readonly invitation?: string;
}

export interface DoorEvents {
  /** Somebody asks to be let in; for those who may `moderate`. */
  knocking: Knock;
  /** It was decided, or they went away. */
  knock_ended: { knock: Knock; reason: 'admitted' | 'declined' | 'left' | 'timeout'; by?: string };
}

/** What the door needs of its room. */
export interface DoorOwner {
  request(message: Request): Promise<Reply>;
  emit<E extends keyof DoorEvents>(event: E, value: DoorEvents[E]): void;
}

export class Door {
  #waiting = new Map<string, Knock>();

  constructor(private readonly owner: DoorOwner) {}

  get waiting(): readonly Knock[] {
    return [...this.#waiting.values()];
  }

  /** Takes the list of a snapshot in place of what was known. */
  replace(list: readonly WireKnock[] | null | undefined): void {
    this.#waiting = new Map((list ?? []).map((k) => [k.id, toKnock(k)]));
  }

  /** True: the event was about who waits. */
  event(event: SessionEvent): boolean {
    if (event.type === 'knocking') {
      const knock = toKnock(event.knock);
      const known = this.#waiting.has(knock.id);
      this.#waiting.set(knock.id, knock);
      if (!known) this.owner.emit('knocking', knock);
      return true;
    }
    if (event.type !== 'knock_ended') return false;
    const knock = this.#waiting.get(event.knock);
    this.#waiting.delete(event.knock);
    if (knock) this.owner.emit('knock_ended', { knock, reason: event.reason, by: event.by });
    return true;
  }

  async decide(action: 'admit' | 'decline', knock?: string): Promise<void> {
    await this.owner.request({ type: 'moderate', action, knock });
  }

  async invite(options: InvitationOptions): Promise<Invitation> {
    const { invitation } = (await this.owner.request({ type: 'invite', ...options })) as unknown as {
      invitation: Wire;
    };
    return toInvitation(invitation);
  }

  async invitations(): Promise<Invitation[]> {
    const { invitations } = (await this.owner.request({ type: 'invitations' })) as unknown as { invitations?: Wire[] };
    return (invitations ?? []).map(toInvitation);
  }

  async revoke(invitation?: string): Promise<void> {
    await this.owner.request({ type: 'revoke', invitation });
  }

  async bans(): Promise<Ban[]> {
    const { bans } = (await this.owner.request({ type: 'bans' })) as unknown as { bans?: Wire[] };
    return (bans ?? []).map(({ identity, name, at, by, invitation }) => ({
      identity: String(identity),
      name: String(name ?? ''),
      at: new Date(at as string),
      by: String(by ?? ''),
      invitation: invitation as string | undefined,
    }));
  }

  async unban(identity?: string): Promise<void> {
    await this.owner.request({ type: 'moderate', action: 'unban', identity });
  }
}

type Wire = { [field: string]: unknown };

function toKnock({ id, identity, name, guest, since, like }: WireKnock): Knock {
  return { id, identity, name, guest: guest === true, since: new Date(since), like };
}

function toInvitation(wire: Wire): Invitation {
  return {
    id: String(wire.id),
    invite: String(wire.invite),
    by: String(wire.by ?? ''),
    byName: String(wire.by_name ?? ''),
    can: (wire.can as Permission[] | undefined) ?? [],
    knock: wire.knock === true,
    label: wire.label as string | undefined,
    madeAt: new Date(wire.made_at as string),
    expiresAt: new Date(wire.expires_at as string),
    uses: Number(wire.uses ?? 0),
  };
}
