import { track } from './messages';
import { config, isOwn } from './settings';

function clicked(event: Event): void {
  const link = (event.target as Element).closest?.<HTMLAnchorElement>('a[href],area[href]');
  if (!link || !/^http/.test(link.protocol)) return;
  const fileName = link.pathname.split('/').pop()!;
  const extension = /\.(\w+)$/.exec(fileName);
  const properties = { url: link.href, title: (link.textContent || '').trim().slice(0, 200) };
  if (link.hasAttribute('download') || (extension && config.downloadExtensions.includes(extension[1]!.toLowerCase()))) {
    track('Content Downloaded', { ...properties, fileName });
  } else if (!isOwn(link.hostname)) {
    track('Outbound Link Clicked', properties);
  }
}

export function watchClicks(): void {
  document.addEventListener('click', clicked, true);
  // The middle button opens a tab.
  document.addEventListener('auxclick', event => event.button === 1 && clicked(event), true);
}
