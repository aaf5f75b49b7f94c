import type { ComponentChildren, VNode } from 'preact';

/** Pictures are decoration: whoever uses one puts the words beside it. */
function icon(children: ComponentChildren, viewBox = '0 0 24 24'): () => VNode {
  return () => (
    <svg
      class="icon"
      viewBox={viewBox}
      fill="none"
      stroke="currentColor"
      stroke-width="2"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {children}
    </svg>
  );
}

export const MoreIcon = icon(<path d="M5 12v.01M12 12v.01M19 12v.01" />);
export const PlusIcon = icon(<path d="M12 5v14M5 12h14" />);
export const BackIcon = icon(<path d="M15 5l-7 7 7 7" />);
export const CloseIcon = icon(<path d="M6 6l12 12M18 6L6 18" />);
export const SendIcon = icon(<path d="M12 19V5M6 11l6-6 6 6" />);
export const DownIcon = icon(<path d="M12 5v14M6 13l6 6 6-6" />);
export const SearchIcon = icon(
  <>
    <circle cx="11" cy="11" r="6.5" />
    <path d="M16 16l4.5 4.5" />
  </>,
);
export const SunIcon = icon(
  <>
    <circle cx="12" cy="12" r="4" />
    <path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6L7 7M17 17l1.4 1.4M5.6 18.4L7 17M17 7l1.4-1.4" />
  </>,
);
export const MoonIcon = icon(<path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.500z" />);
export const LeaveIcon = icon(<path d="M14 5H6v14h8M11 12h10M17.5 8.500L21 12l-3.5 3.5" />);
export const PeopleIcon = icon(
  <>
    <circle cx="9" cy="8.5" r="3.5" />
    <path d="M2.5 19.500c.5-3.5 3-5.5 6.5-5.500s6 2 6.5 5.500M16 5.300a3.5 3.5 0 0 1 0 6.400M18 14.500c2 .7 3.2 2.4 3.5 5" />
  </>,
);
export const CloudOffIcon = icon(
  <path d="M4 4l16 16M8 8a5 5 0 0 0-1 10h10M11 6.200A5 5 0 0 1 17 11a3.7 3.7 0 0 1 3.3 5.5" />,
);
export const ClockIcon = icon(
  <>
    <circle cx="12" cy="12" r="8" />
    <path d="M12 8v4.500l3 1.5" />
  </>,
);
export const AlertIcon = icon(
  <>
    <circle cx="12" cy="12" r="9" />
    <path d="M12 7.500v5.500M12 16.500v.01" />
  </>,
);
export const OneTickIcon = icon(<path d="M5 10.500l4 4 8-9" />, '0 0 22 20');
export const TwoTicksIcon = icon(<path d="M2 10.500l4 4 8-9M11 14l.5.5 8-9" />, '0 0 22 20');

/** Two bubbles that overlap: a parley takes two. */
export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path
        class="logo-back"
        d="M19 11h4.5a6.5 6.5 0 0 1 6.5 6.500v.500a6.5 6.5 0 0 1-2 4.700V28a.8.8 0 0 1-1.3.600L22.8 25H19a7 7 0 0 1 0-14z"
      />
      <path
        class="logo-front"
        d="M11.5 3h3a9.5 9.5 0 0 1 0 19h-4.200l-5 4.200A.8.8 0 0 1 4 25.600v-5.800A9.5 9.5 0 0 1 11.5 3z"
      />
      <g class="logo-dots">
        <circle cx="9" cy="12.5" r="1.6" />
        <circle cx="13.5" cy="12.5" r="1.6" />
        <circle cx="18" cy="12.5" r="1.6" />
      </g>
    </svg>
  );
}
