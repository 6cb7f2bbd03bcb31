/** Puts a popover beside its button, inside the window. */
export function place(popover: HTMLElement, anchor: DOMRect): void {
  const size = popover.getBoundingClientRect();
  const below = anchor.bottom + 4;
  const top = below + size.height < innerHeight - 8 ? below : anchor.top - size.height - 4;
  const left = Math.min(anchor.right - size.width, innerWidth - size.width - 8);
  popover.style.top = `${Math.max(8, top)}px`;
  popover.style.left = `${Math.max(8, left)}px`;
}
