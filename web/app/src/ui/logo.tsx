// The mark: two speech bubbles that share a middle.
export function Logo({ size = 32 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <path class="logo-a" d="M12 4a9 9 0 0 0-6.2 15.5L5 25.5l5.5-3.6A9 9 0 1 0 12 4z" />
      <path class="logo-b" d="M20 4a9 9 0 0 1 6.2 15.5l.8 6-5.5-3.6A9 9 0 1 1 20 4z" />
    </svg>
  );
}
