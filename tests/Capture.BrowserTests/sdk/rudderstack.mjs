// node rudderstack.mjs GATEWAY KEY TRACKS: sends one message of each type and so many tracks as @rudderstack/rudder-sdk-node does by itself.
import Analytics from '@rudderstack/rudder-sdk-node';

const [dataPlaneUrl, writeKey, tracks] = process.argv.slice(2);
const analytics = new Analytics(writeKey, { dataPlaneUrl, flushAt: 20, flushInterval: 100, logLevel: 'error' });

// The SDK flushes by itself, several batches at a time; only a message's own callback says that it was delivered.
const delivered = [];
const send = (type, message) =>
  delivered.push(new Promise((resolve, reject) => analytics[type](message, error => (error ? reject(error) : resolve()))));

const person = { userId: 'rudder-1', anonymousId: 'rudder-device' };
const page = { url: 'https://acme.example/?utm_source=bing&utm_medium=cpc&utm_campaign=spring', title: 'Home' };
const properties = { plan: 'pro', price: 12.5, tags: ['a', 'b'], nested: { deep: true } };
send('page', { anonymousId: 'rudder-device', name: 'Home', properties: page, context: { page } });
send('screen', { ...person, name: 'Settings' });
send('identify', { ...person, traits: { email: 'Rudder@Customer.example', title: 'CTO' } });
send('group', { ...person, groupId: 'customer', traits: { name: 'Customer Ltd', employees: 250 } });
send('track', { ...person, event: 'Trial Started', properties, timestamp: new Date(Date.now() - 86400e3) });
send('alias', { userId: 'rudder-2', previousId: 'rudder-1' });
for (let number = 1; number <= Number(tracks); number++) send('track', { ...person, event: 'Counted', properties: { number } });
await Promise.all(delivered);
process.exit();
