// node segment.mjs GATEWAY KEY TRACKS: sends one message of each type and so many tracks as @segment/analytics-node does by itself.
import { Analytics } from '@segment/analytics-node';

const [host, writeKey, tracks] = process.argv.slice(2);
const analytics = new Analytics({ writeKey, host, flushAt: 15, flushInterval: 100 });
analytics.on('error', error => {
  console.error(error);
  process.exitCode = 1;
});

const person = { userId: 'segment-1', anonymousId: 'segment-device' };
const page = { url: 'https://acme.example/?utm_source=google&utm_medium=cpc&utm_campaign=spring', title: 'Home' };
analytics.page({ anonymousId: 'segment-device', name: 'Home', properties: page, context: { page } });
analytics.screen({ ...person, name: 'Settings' });
analytics.identify({ ...person, traits: { email: 'Segment@Customer.example', title: 'CTO' } });
analytics.group({ ...person, groupId: 'customer', traits: { name: 'Customer Ltd', employees: 250 } });
const properties = { plan: 'pro', price: 12.5, tags: ['a', 'b'], nested: { deep: true } };
analytics.track({ ...person, event: 'Trial Started', properties, timestamp: new Date(Date.now() - 86400e3) });
analytics.alias({ userId: 'segment-2', previousId: 'segment-1' });
for (let number = 1; number <= Number(tracks); number++) analytics.track({ ...person, event: 'Counted', properties: { number } });
await analytics.closeAndFlush();
