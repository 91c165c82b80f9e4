import { config } from './settings';

/** Id of the visitor. */
export const visitorCookie = 'lc_id';

/** Id of the person, where the site has told it. */
export const userCookie = 'lc_user';

/** The visitor's choice: 1 for yes, 0 for no. */
export const consentCookie = 'lc_consent';

/** Number shown in this visit, as number|display; `-` for the one that stands in the pages. */
export const numberCookie = 'lc_num';

export function read(name: string): string {
  const found = document.cookie.match('(?:^|; )' + name + '=([^;]*)');
  return found ? decodeURIComponent(found[1]!) : '';
}

/** Sets a cookie on the broadest domain that the browser accepts, so that all hosts of a site share it; an empty value removes it. */
export function write(name: string, value: string, untilClosed?: boolean): void {
  const labels = location.hostname.split('.');
  const age = value ? (untilClosed ? '' : ';max-age=' + config.cookieDays * 86400) : ';max-age=0';
  for (let at = labels.length - 2; at >= -1; at--) {
    const domain = at < 0 ? '' : config.cookieDomain || labels.slice(at).join('.');
    document.cookie = name + '=' + encodeURIComponent(value) + ';path=/;samesite=lax' + age
      + (location.protocol === 'https:' ? ';secure' : '') + (domain && ';domain=' + domain);
    if (read(name) === value) return;
  }
}
