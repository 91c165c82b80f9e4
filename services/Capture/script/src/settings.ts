/** A telephone number: E.164 for links, and as people read it. */
export interface PhoneNumber {
  number: string;
  displayNumber: string;
}

/** What a page needs of the workspace's tracking settings. */
export interface Settings {
  /** Empty: the broadest domain that the browser accepts. */
  cookieDomain: string;
  cookieDays: number;
  requireConsent: boolean;
  respectDnt: boolean;
  /** Hosts whose links are not outbound, with their subdomains. */
  ownDomains: string[];
  /** Lower case, without the dot. */
  downloadExtensions: string[];
  /** The number that stands in the pages; absent where numbers are not swapped. */
  defaultNumber?: PhoneNumber;
  /** Whether some visits are shown another number. */
  swapNumbers: boolean;
}

declare global {
  /** Written in by the service at the end of the file; null when the request named no known key. */
  const settings: Settings | null;

  interface Document {
    prerendering?: boolean;
  }

  interface Navigator {
    globalPrivacyControl?: boolean;
  }
}

const script = document.currentScript as HTMLScriptElement;

/** Where the script came from, without `/t.js`: what it reports goes there. */
export const base = script.src.split('/t.js')[0]!;

/** Publishable key in the script's address. */
export const addressKey = new URL(script.src).searchParams.get('key');

/** Publishable key, from the address or from `data-key`. */
export const key = addressKey || script.dataset.key;

/** Never null where it is used: without settings nothing starts. */
export const config = settings as Settings;

/** Global Privacy Control, or Do Not Track where the workspace respects it. */
export const optedOut = (): boolean => !!navigator.globalPrivacyControl || (config.respectDnt && navigator.doNotTrack === '1');

/** Whether the host is the site's own: this one, one below it, or one of the workspace's domains. */
export const isOwn = (host: string): boolean =>
  [location.hostname.replace(/^www\./, ''), ...config.ownDomains].some(domain => host === domain || host.endsWith('.' + domain));
