import { consentCookie, numberCookie, read, userCookie, visitorCookie, write } from './cookies';
import { base, config, key } from './settings';

export interface Message {
  type: string;
  messageId: string;
  timestamp: string;
  anonymousId?: string;
  userId?: string;
  [member: string]: unknown;
}

// By key: of two workspaces' scripts on one site, neither sends what the other left.
const storage = 'lc_queue_' + key;
const address = base + '/v1/batch?key=' + encodeURIComponent(key!);
const maxMessages = 200;
const maxAge = 7 * 86400e3;

/** Browsers let a page leave no more than 64 KB behind to be sent. */
const maxBody = 6e4;

/** Waits in memory alone until the visitor consents. */
let held: Message[] = [];

/** Stands in where the browser refuses storage. */
let memory: Message[] = [];
let timer = 0;
let failures = 0;
let busy = false;

export const newId = (): string =>
  crypto.randomUUID
    ? crypto.randomUUID()
    : Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => (byte + 256).toString(16).slice(1)).join('');

/** Whether anything may be stored and sent. */
export const allowed = (): boolean => read(consentCookie) === '1' || (!config.requireConsent && read(consentCookie) !== '0');

/** The visitor's id, made when there is none. */
function visitor(): string {
  let id = read(visitorCookie);
  if (!id) write(visitorCookie, (id = newId()));
  return id;
}

// A message older than the server's memory of message ids would count twice if it had arrived before.
function load(): Message[] {
  try {
    const oldest = new Date(Date.now() - maxAge).toISOString();
    return JSON.parse(localStorage.getItem(storage) || '[]').filter((message: Message) => message.timestamp > oldest);
  } catch {
    return memory;
  }
}

function save(messages: Message[]): void {
  memory = messages.slice(-maxMessages);
  try {
    // Not even an empty list is left, also where an answer comes after the visitor's no.
    if (memory[0]) localStorage.setItem(storage, JSON.stringify(memory));
    else localStorage.removeItem(storage);
  } catch {
    // In memory until the page ends.
  }
}

export function add(message: Message): void {
  if (!allowed()) {
    if (held.length < maxMessages && read(consentCookie) !== '0') held.push(message);
    return;
  }
  message.anonymousId = visitor();
  if (message.type === 'alias') message.previousId ||= read(userCookie) || message.anonymousId;
  if (message.userId) write(userCookie, message.userId);
  else message.userId = read(userCookie) || undefined;
  save(load().concat(message));
  later(300);
}

function later(delay: number): void {
  timer ||= window.setTimeout(() => {
    timer = 0;
    flush();
  }, delay);
}

/**
 * Sends what waits. A message stays in the queue until a server has answered for it: a beacon gets no answer, so the next page sends its
 * messages again and the server, which knows their ids, counts them once.
 */
export function flush(leaving?: boolean): void {
  if (!allowed() || navigator.onLine === false || (busy && !leaving)) return;
  let batch = load().slice(0, 50);
  if (!batch.length) return;
  let body: string;
  while ((body = JSON.stringify({ batch, sentAt: new Date().toISOString() })).length > maxBody && batch[1]) {
    batch = batch.slice(0, batch.length >> 1);
  }
  if (leaving) {
    clearTimeout(timer);
    timer = 0;
    navigator.sendBeacon(address, body);
    return;
  }
  busy = true;
  // Text, not JSON: a JSON body to another host would need a preflight.
  fetch(address, { method: 'POST', body, keepalive: body.length < maxBody, credentials: 'omit' })
    .then(response => {
      if (response.status === 429 || response.status > 499) throw 0;
      failures = 0;
      // What the server refuses for good would be refused again.
      save(load().filter(message => !batch.some(sent => sent.messageId === message.messageId)));
    })
    .catch(() => failures++)
    .then(() => {
      busy = false;
      if (load().length) later(failures && Math.min(1000 * 2 ** failures, 3e5));
    });
}

/** Takes the visitor's choice: nothing is stored nor sent without a yes where consent is required, and a no takes back what was stored. */
export function consent(granted: boolean): void {
  if (granted) {
    write(consentCookie, '1');
    held.splice(0).forEach(add);
    return;
  }
  held = [];
  forget();
  write(numberCookie, '');
  save([]);
  write(consentCookie, config.requireConsent ? '' : '0');
}

/** The next message is another visitor's. */
export function forget(): void {
  write(visitorCookie, '');
  write(userCookie, '');
}

export function start(): void {
  addEventListener('pagehide', () => flush(true));
  addEventListener('online', () => flush());
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') flush(true);
    else later(0);
  });
  // What an earlier page left.
  later(300);
}
