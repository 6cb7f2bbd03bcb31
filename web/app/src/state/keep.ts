// What this tab keeps over a reload, and nobody else gets: tokens and invitations.

export function remember(name: string, value: string): void {
  try {
    sessionStorage.setItem(name, value);
  } catch {
    // Storage is off: what is in memory serves until the page is closed.
  }
}

export function recall(name: string): string | undefined {
  try {
    return sessionStorage.getItem(name) || undefined;
  } catch {
    return undefined;
  }
}
