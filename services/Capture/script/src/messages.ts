import { add, newId } from './queue';

export type Properties = Record<string, unknown>;

/** Page before this one: another site's, then the site's own. */
let referrer = document.referrer;

/** Address of the page last reported. */
let last = '';

/** Time of the message before this one. */
let latest = 0;

/** Makes a message of what the page is now. */
export function send(type: string, members: object): void {
  add({
    type,
    messageId: newId(),
    // Never the same twice: what was called first is first in the journey.
    timestamp: new Date((latest = Math.max(Date.now(), latest + 1))).toISOString(),
    context: {
      page: { url: location.href, referrer, title: document.title, path: location.pathname },
      userAgent: navigator.userAgent,
      locale: navigator.language,
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    },
    ...members,
  });
}

export const track = (event: string, properties?: Properties): void => send('track', { event, properties });

// A fragment is part of the address where it is a route.
const address = (): string => location.href.replace(/#(?![/!]).*/, '');

export function page(name?: string, properties?: Properties): void {
  if (last) referrer = last;
  last = address();
  send('page', { name, properties });
}

/** Reports views: of the page that was loaded, and of those that a single-page application shows in its place. */
export function watchPages(viewed: () => void): void {
  const moved = (): void => {
    if (address() !== last) viewed();
  };
  for (const name of ['pushState', 'replaceState'] as const) {
    const original = history[name];
    history[name] = function (this: History, ...given: Parameters<History['pushState']>) {
      original.apply(this, given);
      // The application sets the title after the address.
      setTimeout(moved);
    };
  }
  addEventListener('popstate', moved);
  addEventListener('hashchange', moved);
  addEventListener('pageshow', event => {
    if (event.persisted) viewed();
  });
}
