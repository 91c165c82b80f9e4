import { numberCookie, read, write } from './cookies';
import { allowed } from './queue';
import { base, config, isOwn, key } from './settings';

interface Shown {
  number: string;
  displayNumber: string;
}

const digits = (text: string): string => text.replace(/\D/g, '');

/** What stands in the page now, and what it shows in its place. */
let old: Shown | undefined;
let chosen: Shown | undefined;
let asked = '';

function swap(root: Node): void {
  const [standing, { number, displayNumber }] = [[config.defaultNumber, old], chosen!];
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node: Node | null = root; node; node = texts.nextNode()) {
    for (const one of standing) {
      const text = node.nodeType === 3 && node.nodeValue;
      if (text && one && one.displayNumber !== displayNumber && text.includes(one.displayNumber)) {
        node.nodeValue = text.split(one.displayNumber).join(displayNumber);
      }
    }
  }
  for (const element of (root as Element).querySelectorAll?.('[data-lifecycle-number],a[href^="tel:"]') || []) {
    const marked = element.hasAttribute('data-lifecycle-number');
    if (marked && element.textContent !== displayNumber) element.textContent = displayNumber;
    if (!(element instanceof HTMLAnchorElement)) continue;
    if (marked || standing.some(one => one && digits(element.href) === digits(one.number))) element.href = 'tel:' + number;
  }
}

function show(): void {
  const [number = '', displayNumber] = read(numberCookie).split('|');
  const next = displayNumber ? { number, displayNumber } : chosen && config.defaultNumber;
  if (!next) return;
  const watching = chosen;
  old = chosen;
  chosen = next;
  swap(document.documentElement);
  // What an application adds later.
  if (!watching) {
    new MutationObserver(changes => changes.forEach(change => change.addedNodes.forEach(swap)))
      .observe(document.documentElement, { childList: true, subtree: true });
  }
}

/**
 * Shows the number of this visit's source. The service chooses when a visit begins, by the same rules as its reports, and the choice holds
 * until the browser is closed or another source leads here, also to another address of a single-page application.
 */
export function showNumber(): void {
  const campaign = /utm_|(clid|msclkid|braid|li_fat_id|rdt_cid|mc_cid|igshid|epik|_kx)=/i.test(location.href);
  if (!config.swapNumbers || !allowed() || (asked && (!campaign || asked === location.href))) return;
  // The referrer is that of the page on which the application began.
  const referrer = asked ? '' : document.referrer;
  asked = location.href;
  const within = referrer && isOwn(new URL(referrer).hostname);
  if (read(numberCookie) && within && !campaign) return show();
  const visit = new URLSearchParams({ key: key!, u: asked, r: referrer });
  fetch(base + '/t/number?' + visit, { credentials: 'omit' })
    // Without content: a direct visit, which goes on from the one before.
    .then(response => (response.status === 200 ? response.json() : null))
    .then(answer => {
      // The visitor may have said no meanwhile.
      if (!allowed()) return;
      if (answer) write(numberCookie, answer.number ? answer.number + '|' + answer.displayNumber : '-', true);
      else if (!read(numberCookie)) write(numberCookie, '-', true);
      show();
    })
    .catch(() => show());
}
