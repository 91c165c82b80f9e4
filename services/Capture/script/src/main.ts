// What a page sees of Lifecycle: lifecycle('track', 'Trial Started', {…}), and the same as methods.
import { watchClicks } from './clicks';
import { reportForm, watchForms } from './forms';
import { page, type Properties, send, track, watchPages } from './messages';
import { showNumber } from './numbers';
import { consent, flush, forget, start } from './queue';
import { addressKey, base, key, optedOut } from './settings';

type Call = [name: string, ...given: unknown[]];

interface Lifecycle {
  (...call: Call): void;
  q?: ArrayLike<unknown>[];
}

declare global {
  interface Window {
    lifecycle?: Lifecycle;
  }
}

const methods = {
  page,
  track,
  identify(userId?: unknown, traits?: Properties): void {
    if (userId && typeof userId === 'object') send('identify', { traits: userId });
    else send('identify', { userId: userId ? String(userId) : undefined, traits });
  },
  group: (groupId: unknown, traits?: Properties): void => send('group', { groupId: String(groupId), traits }),
  alias: (userId: unknown, previousId?: unknown): void => send('alias', { userId: String(userId), previousId }),
  form: reportForm,
  consent(choices: { analytics?: boolean }): void {
    if (choices.analytics === undefined) return;
    consent(choices.analytics);
    showNumber();
  },
  reset: forget,
  flush: (): void => flush(),
};

function run(): void {
  const before = window.lifecycle;
  // Twice in a page it would count everything twice.
  if (before && 'track' in before) return;
  const early = (before?.q || []).map(call => Array.from(call) as Call);
  const off = optedOut();
  const call = (...[name, ...given]: Call): void => {
    if (!off) (methods as Record<string, (...given: never[]) => void>)[name]?.(...(given as never[]));
  };
  for (const name in methods) (call as unknown as Record<string, unknown>)[name] = (...given: unknown[]) => call(name, ...given);
  window.lifecycle = call as Lifecycle;
  if (off) return;

  // The choice comes before whatever it may forbid.
  early.filter(([name]) => name === 'consent').forEach(given => call(...given));
  page();
  showNumber();
  early.filter(([name]) => name !== 'consent').forEach(given => call(...given));
  watchPages(() => {
    page();
    showNumber();
  });
  watchClicks();
  watchForms();
  start();
}

if (settings) {
  // A page made ready in advance may never be looked at.
  if (document.prerendering) document.addEventListener('prerenderingchange', run, { once: true });
  else run();
} else if (!addressKey && key) {
  // The settings come with the key in the address.
  const script = document.createElement('script');
  script.src = base + '/t.js?key=' + encodeURIComponent(key);
  document.head.append(script);
}
