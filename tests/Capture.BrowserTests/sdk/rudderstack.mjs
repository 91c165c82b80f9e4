// node rudderstack.mjs GATEWAY KEY TRACKS: sends one message of each type and so many tracks as @rudderstack/rudder-sdk-node does by itself, gzipped.
import Analytics from '@rudderstack/rudder-sdk-node';

const [dataPlaneUrl, writeKey, tracks] = process.argv.slice(2);
const failed = error => {
  console.error(error);
  process.exit(1);
};
const analytics = new Analytics(writeKey, { dataPlaneUrl, flushAt: 20, logLevel: 'error', errorHandler: failed });

const person = { userId: 'rudder-1', anonymousId: 'rudder-device' };
const page = { url: 'https://acme.example/?utm_source=bing&utm_medium=cpc&utm_campaign=spring', title: 'Home' };
// A second apart, as a person acts.
const minuteAgo = Date.now() - 60e3;
const after = seconds => new Date(minuteAgo + seconds * 1000);
analytics.page({ anonymousId: 'rudder-device', name: 'Home', properties: page, context: { page }, timestamp: after(0) });
analytics.screen({ ...person, name: 'Settings', timestamp: after(1) });
analytics.identify({ ...person, traits: { email: 'Rudder@Customer.example', title: 'CTO' }, timestamp: after(2) });
analytics.group({ ...person, groupId: 'customer', traits: { name: 'Customer Ltd', employees: 250 }, timestamp: after(3) });
analytics.track({ ...person, event: 'Trial Started', properties: { plan: 'pro', price: 12.5, tags: ['a', 'b'], nested: { deep: true } }, timestamp: after(-86400) });
analytics.alias({ userId: 'rudder-2', previousId: 'rudder-1', timestamp: after(4) });
for (let number = 1; number <= Number(tracks); number++) analytics.track({ ...person, event: 'Counted', properties: { number } });
// A flush sends 20 at most.
while (analytics.queue.length) await analytics.flush().catch(failed);
await analytics.flush();
process.exit();
