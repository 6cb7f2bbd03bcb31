import type { Stream, Tile } from './protocol';
import { density, LINGER, type Shown, TileSender, tiles } from './tiles';
import { now } from './time';

/** An element that shows a stream. */
interface View extends Shown {
  readonly box: HTMLElement;
  readonly video: HTMLVideoElement;
  readonly owned: boolean; // the video element was made by us
}

/** How a page shows a stream. */
export interface AttachOptions {
  /**
   * False: the best picture there is flows for as long as it is attached, whatever the element's size and whether it can be
   * seen. Default: the room's `adaptive`.
   */
  adaptive?: boolean;
}

export interface ViewsOwner {
  /** What shows the stream now, or null: no picture, or not there (yet). */
  picture(participant: string, stream: Stream): MediaStream | null;
  /** Whether the server must send it: not our own. */
  remote(participant: string): boolean;
  subscribe(tiles: Tile[]): void;
  mostTiles(): number;
  /** What the page wants where attach() does not say. */
  adaptive: boolean;
  /** Device pixels per CSS pixel; undefined: as density() says. */
  density: number | undefined;
}

/** The page's elements that show streams. What they need of the server follows their size and visibility. */
export class Views {
  readonly #owner: ViewsOwner;
  readonly #views = new Set<View>();
  readonly #pinned = new Set<string>();
  readonly #sizes: ResizeObserver;
  readonly #sight: IntersectionObserver;
  readonly #sender: TileSender;
  readonly #page = new AbortController();
  #floating: PictureInPictureWindow | undefined;

  constructor(owner: ViewsOwner) {
    this.#owner = owner;
    this.#sizes = new ResizeObserver((entries) => this.#resized(entries));
    this.#sight = new IntersectionObserver((entries) => this.#sighted(entries), { rootMargin: '64px' });
    this.#sender = new TileSender(
      () => this.#list(),
      (list) => this.#owner.subscribe(list),
    );
    const options = { signal: this.#page.signal, capture: true };
    document.addEventListener('visibilitychange', this.#changed, options);
    document.addEventListener('enterpictureinpicture', (event) => this.#float(event), options);
    document.addEventListener('leavepictureinpicture', () => this.#float(undefined), options);
  }

  /** Shows the stream in the element; returns what ends that. */
  attach(box: HTMLElement, participant: string, stream: Stream, options: AttachOptions = {}): () => void {
    const given = box instanceof HTMLVideoElement;
    const video = given ? box : document.createElement('video');
    video.muted = true; // the sound plays through elements of its own
    video.autoplay = true;
    video.playsInline = true;
    if (!given) {
      video.style.cssText = 'display:block;width:100%;height:100%';
      box.append(video);
    }
    const { width, height } = box.getBoundingClientRect();
    const view: View = {
      box,
      video,
      owned: !given,
      participant,
      stream,
      adaptive: options.adaptive ?? this.#owner.adaptive,
      pinned: false,
      width,
      height,
      visible: true,
      hiddenAt: 0,
      floating: null,
    };
    this.#views.add(view);
    this.#sizes.observe(box);
    this.#sight.observe(box);
    this.#show(view);
    this.#sender.schedule();
    return () => this.#detach(view);
  }

  /** When the network is short, pinned streams come before the others. */
  pin(participant: string, stream: Stream, pinned: boolean): void {
    if (pinned) this.#pinned.add(`${stream} ${participant}`);
    else this.#pinned.delete(`${stream} ${participant}`);
    this.#sender.schedule();
  }

  /** How many streams of others have a tile. */
  get shown(): number {
    return this.#list().length;
  }

  /** Shows what there is now for that stream, or for all. */
  update(participant?: string, stream?: Stream): void {
    for (const view of this.#views) {
      if (participant !== undefined && (view.participant !== participant || view.stream !== stream)) continue;
      this.#show(view);
    }
  }

  /** Tells the server again what is shown. */
  resend(): void {
    this.#sender.reset();
  }

  close(): void {
    this.#page.abort();
    this.#float(undefined);
    this.#sender.stop();
    for (const view of [...this.#views]) this.#detach(view);
    this.#sizes.disconnect();
    this.#sight.disconnect();
  }

  #detach(view: View): void {
    if (!this.#views.delete(view)) return;
    if (![...this.#views].some((other) => other.box === view.box)) {
      this.#sizes.unobserve(view.box);
      this.#sight.unobserve(view.box);
      view.video.srcObject = null;
    }
    if (view.owned) view.video.remove();
    this.#sender.schedule();
  }

  #show(view: View): void {
    const stream = this.#owner.picture(view.participant, view.stream);
    if (view.video.srcObject === stream) return;
    view.video.srcObject = stream;
    if (stream) view.video.play().catch(() => {}); // muted video may play; an element emptied meanwhile rejects
  }

  readonly #changed = () => this.#sender.schedule();

  /** A video went into the picture-in-picture window, or came back: that window has a size of its own. */
  #float(event: Event | undefined): void {
    this.#floating?.removeEventListener('resize', this.#changed);
    this.#floating = (event as PictureInPictureEvent | undefined)?.pictureInPictureWindow;
    this.#floating?.addEventListener('resize', this.#changed);
    this.#changed();
  }

  #list(): Tile[] {
    const remote: View[] = [];
    for (const view of this.#views) {
      if (!this.#owner.remote(view.participant)) continue;
      view.floating = this.#floatingSize(view);
      view.pinned = this.#pinned.has(`${view.stream} ${view.participant}`);
      remote.push(view);
    }
    const screen = {
      density: this.#owner.density ?? density(window.devicePixelRatio || 1),
      pageHidden: document.visibilityState === 'hidden',
    };
    return tiles(remote, screen, now(), this.#owner.mostTiles());
  }

  #floatingSize(view: View): Shown['floating'] {
    if (view.box.ownerDocument !== document) return { width: view.width, height: view.height }; // a window of the page's
    if (view.video !== document.pictureInPictureElement) return null;
    return this.#floating ? { width: this.#floating.width, height: this.#floating.height } : view;
  }

  #resized(entries: ResizeObserverEntry[]): void {
    for (const entry of entries) {
      for (const view of this.#views) {
        if (view.box !== entry.target) continue;
        view.width = entry.contentRect.width;
        view.height = entry.contentRect.height;
      }
    }
    this.#sender.schedule();
  }

  #sighted(entries: IntersectionObserverEntry[]): void {
    let hidden = false;
    for (const entry of entries) {
      for (const view of this.#views) {
        if (view.box !== entry.target || view.visible === entry.isIntersecting) continue;
        view.visible = entry.isIntersecting;
        view.hiddenAt = now();
        hidden ||= !view.visible;
      }
    }
    this.#sender.schedule(hidden ? LINGER : 0);
  }
}
