// Our own icons: 24 by 24, strokes in the text's colour. Decorative: the button around one carries the label.
import type { ComponentChildren, JSX } from 'preact';

export type Icon = (props: { size?: number }) => JSX.Element;

function icon(children: ComponentChildren): Icon {
  return ({ size = 22 }) => (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.8"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

const slash = <path d="M4 4l16 16" />;
const micBody = (
  <>
    <rect x="9" y="3" width="6" height="11" rx="3" />
    <path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3" />
  </>
);

export const MicIcon = icon(micBody);
export const MicOffIcon = icon(
  <>
    <path d="M9 9v2a3 3 0 0 0 4.6 2.5M15 11V6a3 3 0 0 0-5.7-1.3M5.5 11.5a6.5 6.5 0 0 0 10.4 5.2M18.5 11.5a6.4 6.4 0 0 1-.5 2.5M12 18v3" />
    {slash}
  </>,
);
export const CameraIcon = icon(
  <>
    <rect x="2.5" y="6" width="12.5" height="12" rx="3" />
    <path d="M15 10.5l5.2-3a.8.8 0 0 1 1.3.7v7.6a.8.8 0 0 1-1.3.7l-5.2-3" />
  </>,
);
export const CameraOffIcon = icon(
  <>
    <path d="M10 6h2a3 3 0 0 1 3 3v1.5l5.2-3a.8.8 0 0 1 1.3.7v7.6c0 .4-.2.6-.4.7M15 15a3 3 0 0 1-3 3H5.5a3 3 0 0 1-3-3V9c0-1.3.8-2.4 2-2.8" />
    {slash}
  </>,
);
export const ScreenIcon = icon(
  <>
    <rect x="2.5" y="4" width="19" height="13" rx="2.5" />
    <path d="M8.5 20.5h7M12 14V8M9.2 10.5L12 7.7l2.8 2.8" />
  </>,
);
export const ScreenOffIcon = icon(
  <>
    <rect x="2.5" y="4" width="19" height="13" rx="2.5" />
    <path d="M8.5 20.5h7M9.7 8.2l4.6 4.6M14.3 8.2l-4.6 4.6" />
  </>,
);
export const ChatIcon = icon(
  <path d="M4 6.5A2.5 2.5 0 0 1 6.5 4h11A2.5 2.5 0 0 1 20 6.5v7a2.5 2.5 0 0 1-2.5 2.5H11l-4.2 3.7c-.4.4-1 .1-1-.4V16A2.2 2.2 0 0 1 4 13.6z" />,
);
export const PeopleIcon = icon(
  <>
    <circle cx="9" cy="8.5" r="3.5" />
    <path d="M2.5 19.5c.5-3.5 3.2-5.5 6.5-5.5s6 2 6.5 5.5M15.5 5.3a3.5 3.5 0 0 1 0 6.4M17.5 14.5c2.2.7 3.6 2.5 4 5" />
  </>,
);
export const LeaveIcon = icon(
  <path d="M3.2 13.7c-.9-.9-.9-2.3 0-3.2 4.9-4.5 12.7-4.5 17.6 0 .9.9.9 2.3 0 3.2l-1 1c-.5.5-1.2.6-1.8.3l-2.3-1.2c-.5-.3-.8-.8-.8-1.3v-1.6a10 10 0 0 0-5.8 0v1.6c0 .5-.3 1-.8 1.3L6 15c-.6.3-1.3.2-1.8-.3z" />,
);
export const MoreIcon = icon(
  <>
    <circle cx="5" cy="12" r="1.3" fill="currentColor" />
    <circle cx="12" cy="12" r="1.3" fill="currentColor" />
    <circle cx="19" cy="12" r="1.3" fill="currentColor" />
  </>,
);
export const SendIcon = icon(
  <path d="M4.5 12L3.3 4.9c-.1-.6.5-1.1 1-.8l16.2 7.2c.6.3.6 1.1 0 1.4L4.3 19.9c-.5.3-1.1-.2-1-.8zM4.5 12h7.5" />,
);
export const ClipIcon = icon(
  <path d="M20 11.5l-8.2 8.1a5 5 0 0 1-7.1-7.1l8.5-8.4a3.4 3.4 0 0 1 4.8 4.8l-8.4 8.3a1.7 1.7 0 0 1-2.4-2.4l7.6-7.5" />,
);
export const CheckIcon = icon(<path d="M4.5 12.5l5 5 10-11" />);
export const CloseIcon = icon(<path d="M6 6l12 12M18 6L6 18" />);
export const PinIcon = icon(<path d="M9 3.5h6M10 3.5v6l-3.5 4v1.5h11V13.5L14 9.5v-6M12 15v6" />);
export const UnpinIcon = icon(
  <>
    <path d="M9 3.5h6M14 3.5v6l3.5 4V15M10 9.5l-3.5 4V15H15M12 15v6" />
    {slash}
  </>,
);
export const LinkIcon = icon(
  <path d="M10 13.5a4 4 0 0 0 6 .4l3-3a4.2 4.2 0 0 0-6-6l-1.5 1.5M14 10.5a4 4 0 0 0-6-.4l-3 3a4.2 4.2 0 0 0 6 6l1.5-1.5" />,
);
export const LockIcon = icon(
  <>
    <rect x="5" y="10.5" width="14" height="10" rx="2.5" />
    <path d="M8 10.5V8a4 4 0 0 1 8 0v2.5" />
  </>,
);
export const UnlockIcon = icon(
  <>
    <rect x="5" y="10.5" width="14" height="10" rx="2.5" />
    <path d="M8 10.5V8a4 4 0 0 1 7.6-1.7" />
  </>,
);
export const GearIcon = icon(
  <>
    <path d="M4 7h9M17 7h3M4 17h3M11 17h9" />
    <circle cx="15" cy="7" r="2.2" />
    <circle cx="9" cy="17" r="2.2" />
  </>,
);
export const FileIcon = icon(
  <path d="M13.5 3H7.5A2.5 2.5 0 0 0 5 5.5v13A2.5 2.5 0 0 0 7.5 21h9a2.5 2.5 0 0 0 2.5-2.5v-10zM13.5 3v4a1.5 1.5 0 0 0 1.5 1.5h4" />,
);
export const SaveIcon = icon(<path d="M12 4v11M7.5 10.5L12 15l4.5-4.5M4.5 19.5h15" />);
export const PauseIcon = icon(<path d="M8.5 5.5v13M15.5 5.5v13" stroke-width="2.6" />);
export const ChartIcon = icon(<path d="M4 4v16h16M8 15l3.5-4 3 2.5L20 7.5" />);
export const RetryIcon = icon(<path d="M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9M19.5 4v5h-5" />);
export const WarnIcon = icon(<path d="M12 4L2.8 19.2c-.2.4 0 .8.5.8h17.4c.5 0 .7-.4.5-.8zM12 10v4.5M12 17.3v.1" />);
export const SpeakerIcon = icon(
  <path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11" />,
);
export const KeyboardIcon = icon(
  <>
    <rect x="2.5" y="6" width="19" height="12" rx="2.5" />
    <path d="M6.5 10h.1M10 10h.1M14 10h.1M17.5 10h.1M8 14h8" />
  </>,
);
export const CopyIcon = icon(
  <>
    <rect x="8.5" y="8.5" width="12" height="12" rx="2.5" />
    <path d="M15.5 5.5v0A2.5 2.5 0 0 0 13 3H6a2.5 2.5 0 0 0-2.5 2.5v7A2.5 2.5 0 0 0 6 15" />
  </>,
);
export const DiceIcon = icon(
  <>
    <rect x="4" y="4" width="16" height="16" rx="3.5" />
    <path d="M9 9h.1M15 15h.1M9 15h.1M15 9h.1M12 12h.1" stroke-width="2.6" />
  </>,
);
export const DownIcon = icon(<path d="M6 9.5l6 6 6-6" />);
export const InviteIcon = icon(
  <>
    <circle cx="10" cy="8.5" r="3.5" />
    <path d="M3.5 19.5c.5-3.5 3.2-5.5 6.5-5.5 1.6 0 3 .5 4.2 1.3M18.5 14v6M15.5 17h6" />
  </>,
);
export const DoorIcon = icon(
  <path d="M6 20.5V5a1.5 1.5 0 0 1 1.5-1.5h9A1.5 1.5 0 0 1 18 5v15.5M3.5 20.5h17M14.5 12h.1" />,
);
export const ShareIcon = icon(
  <path d="M12 15V3.8M8 7.5l4-3.8 4 3.8M8 11H6.5A1.5 1.5 0 0 0 5 12.5v6.5A1.5 1.5 0 0 0 6.5 20.5h11A1.5 1.5 0 0 0 19 19v-6.5a1.5 1.5 0 0 0-1.5-1.5H16" />,
);
export const QRIcon = icon(
  <>
    <rect x="4" y="4" width="6" height="6" rx="1" />
    <rect x="14" y="4" width="6" height="6" rx="1" />
    <rect x="4" y="14" width="6" height="6" rx="1" />
    <path d="M14 14h2v2M20 14v2M14 20h2M18.5 18.5h1.5V20" />
  </>,
);
