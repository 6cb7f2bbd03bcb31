// Short notes at the top of the call: something happened or did not work. They go by themselves or by a click.
import { signal } from '@preact/signals';
import { type DeviceKind, deviceProblem, type Problem, problem } from '../text/problems';
import { announce } from '../ui/live';

export interface Notice {
  id: number;
  title: string;
  advice: string;
}

/** How long a note stays, in ms: a sentence or two are read well within it. */
const stays = 9000;

export const notices = signal<readonly Notice[]>([]);

let last = 0;

export function notify(p: { title: string; advice?: string }): void {
  const notice = { id: ++last, title: p.title, advice: p.advice ?? '' };
  notices.value = [...notices.value.filter((n) => n.title !== notice.title), notice].slice(-3);
  announce(`${notice.title}. ${notice.advice}`);
  setTimeout(() => dismissNotice(notice.id), stays);
}

export function dismissNotice(id: number): void {
  notices.value = notices.value.filter((n) => n.id !== id);
}

export function clearNotices(): void {
  notices.value = [];
}

/** The code of anything thrown. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : 'unknown';
}

/** The problem behind anything thrown. */
export function problemOf(error: unknown): Problem {
  return problem(codeOf(error), error instanceof Error ? error.message : undefined);
}

/** The problem behind a device that did not open. */
export function problemOfDevice(error: unknown, kind: DeviceKind): Problem {
  return deviceProblem(codeOf(error), kind, navigator.userAgent, error instanceof Error ? error.message : undefined);
}

/** Runs something a person asked for; if it fails, says so. */
export async function attempt(what: () => Promise<unknown>): Promise<boolean> {
  try {
    await what();
    return true;
  } catch (error) {
    notify(problemOf(error));
    return false;
  }
}
