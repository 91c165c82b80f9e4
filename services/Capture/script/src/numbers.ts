import { numberCookie, read, write } from './cookies';
import { allowed } from './queue';
import { base, config, isOwn, key } from './settings';

const digits = (text: string): string => text.replace(/\D/g, '');

let number: string | undefined;
let display = '';
let asked = false;

function swap(root: Node): void {
  const standing = config.defaultNumber;
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node: Node | null = root; node; node = texts.nextNode()) {
    const text = node.nodeType === 3 && node.nodeValue;
    if (text && standing && text.includes(standing.displayNumber)) node.nodeValue = text.split(standing.displayNumber).join(display);
  }
  for (const element of (root as Element).querySelectorAll?.('[data-lifecycle-number],a[href^="tel:"]') || []) {
    const marked = element.hasAttribute('data-lifecycle-number');
    if (marked && element.textContent !== display) element.textContent = display;
    if (!(element instanceof HTMLAnchorElement)) continue;
    if (marked || (standing && digits(element.href) === digits(standing.number))) element.href = 'tel:' + number;
  }
}

function show(): void {
  [number, display = ''] = read(numberCookie).split('|');
  if (!display) return;
  swap(document.documentElement);
  // What an application adds later.
  new MutationObserver(changes => changes.forEach(change => change.addedNodes.forEach(swap)))
    .observe(document.documentElement, { childList: true, subtree: true });
}

/**
 * Shows the number of this visit's source. The service chooses when a visit begins, by the same rules as its reports, and the choice holds
 * until the browser is closed or another source leads here.
 */
export function showNumber(): void {
  if (asked || !config.swapNumbers || !allowed()) return;
  asked = true;
  const referrer = document.referrer;
  const within = referrer && isOwn(new URL(referrer).hostname);
  if (read(numberCookie) && within && !/utm_|clid=/.test(location.search)) return show();
  const visit = new URLSearchParams({ key: key!, u: location.href, r: referrer });
  fetch(base + '/t/number?' + visit, { credentials: 'omit' })
    // Without content: a direct visit, which goes on from the one before.
    .then(response => (response.status === 200 ? response.json() : null))
    .then(chosen => {
      if (chosen) write(numberCookie, chosen.number ? chosen.number + '|' + chosen.displayNumber : '-', true);
      else if (!read(numberCookie)) write(numberCookie, '-', true);
      show();
    })
    .catch(() => show());
}
