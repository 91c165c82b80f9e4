// Reports visits to Lifecycle. <script async src="https://gateway.example/t.js" data-key="lp_…"></script>
// lifecycle.page(name?, properties?), lifecycle.track(event, properties?), lifecycle.identify(userId?, traits?), lifecycle.reset().
// A form with data-lifecycle-form="demo" (content, contact, newsletter, other) is reported when it is submitted.
// Global Privacy Control is respected: then nothing is sent and no cookie is set.
(function (w, d, n) {
  'use strict';
  var script = d.currentScript, from = new URL(script.src), key = script.dataset.key || from.searchParams.get('key');
  var early = (w.lifecycle && w.lifecycle.q) || [], off = !key || n.globalPrivacyControl;
  var queue = [], timer = 0, failures = 0, last = '', before = d.referrer;
  var url = from.origin + '/v1/batch?key=' + encodeURIComponent(key || '');

  function read(name) {
    var found = d.cookie.match('(?:^|; )' + name + '=([^;]*)');
    return found ? decodeURIComponent(found[1]) : '';
  }

  // The broadest domain that the browser accepts, so that all hosts of a site share the visitor.
  function write(name, value) {
    var labels = w.location.hostname.split('.'), age = value ? 34214400 : 0;
    for (var i = labels.length - 1; i >= 0; i--) {
      var domain = i < labels.length - 1 ? '; domain=' + labels.slice(i).join('.') : '';
      if (!domain && labels.length > 1) continue;
      d.cookie = name + '=' + encodeURIComponent(value) + '; path=/; max-age=' + age + '; samesite=lax' + (w.location.protocol === 'https:' ? '; secure' : '') + domain;
      if (read(name) === value) return;
    }
    d.cookie = name + '=' + encodeURIComponent(value) + '; path=/; max-age=' + age + '; samesite=lax';
  }

  function id() {
    if (w.crypto.randomUUID) return w.crypto.randomUUID();
    return Array.prototype.map.call(w.crypto.getRandomValues(new Uint8Array(16)), function (b) { return (b + 256).toString(16).slice(1); }).join('');
  }

  function visitor() {
    var known = read('lc_id');
    if (!known) write('lc_id', known = id());
    return known;
  }

  function add(message) {
    message.messageId = id();
    message.anonymousId = visitor();
    message.userId = message.userId || read('lc_user') || undefined;
    message.timestamp = new Date().toISOString();
    message.context = {
      page: { url: w.location.href, referrer: before, title: d.title, path: w.location.pathname },
      userAgent: n.userAgent, locale: n.language, timezone: Intl.DateTimeFormat().resolvedOptions().timeZone
    };
    queue.push(message);
    if (queue.length > 200) queue.shift();
    later(300);
  }

  function later(delay) {
    if (!timer) timer = setTimeout(function () { timer = 0; send(); }, delay);
  }

  // Text, not JSON: a JSON body to another host would need a preflight.
  function send(leaving) {
    if (!queue.length) return;
    var messages = queue.splice(0, 50), body = JSON.stringify({ batch: messages, sentAt: new Date().toISOString() });
    if (leaving && n.sendBeacon && n.sendBeacon(url, body)) return send(true);
    fetch(url, { method: 'POST', body: body, keepalive: body.length < 6e4, credentials: 'omit' }).then(function (response) {
      if (response.status === 429 || response.status >= 500) throw response.status;
      failures = 0;
      if (queue.length) later(0);
    }).catch(function () {
      queue = messages.concat(queue);
      if (failures++ < 8) later(1000 * Math.pow(2, failures));
    });
  }

  var api = {
    page: function (name, properties) {
      last = w.location.href.split('#')[0];
      add({ type: 'page', name: name, properties: properties });
    },
    track: function (event, properties) { add({ type: 'track', event: event, properties: properties }); },
    identify: function (userId, traits) {
      if (userId && typeof userId === 'object') { traits = userId; userId = ''; }
      if (userId) write('lc_user', String(userId));
      add({ type: 'identify', userId: userId ? String(userId) : undefined, traits: traits });
    },
    reset: function () { write('lc_id', ''); write('lc_user', ''); },
    flush: function () { send(); }
  };
  if (off) Object.keys(api).forEach(function (name) { api[name] = function () {}; });
  w.lifecycle = api;
  if (off) return;

  function moved() {
    var now = w.location.href.split('#')[0], earlier = last;
    if (now === earlier) return;
    before = earlier;
    api.page();
  }
  ['pushState', 'replaceState'].forEach(function (name) {
    var original = w.history[name];
    w.history[name] = function () {
      var result = original.apply(this, arguments);
      setTimeout(moved, 0);
      return result;
    };
  });
  w.addEventListener('popstate', moved);
  w.addEventListener('pagehide', function () { send(true); });
  d.addEventListener('visibilitychange', function () { if (d.visibilityState === 'hidden') send(true); });
  d.addEventListener('submit', function (event) {
    var form = event.target, type = form.getAttribute && form.getAttribute('data-lifecycle-form');
    if (type === null || type === undefined) return;
    var fields = {};
    Array.prototype.forEach.call(form.elements, function (input) {
      var skip = /^(password|file|hidden|submit|button|reset|image)$/.test(input.type) || /^cc-/.test(input.autocomplete);
      if (!input.name || skip || ((input.type === 'checkbox' || input.type === 'radio') && !input.checked)) return;
      fields[input.name] = String(input.value).slice(0, 1000);
    });
    api.track('Form Submitted', { formId: form.id || form.getAttribute('name') || '', formType: type || 'other', fields: fields });
    send(true);
  }, true);

  api.page();
  early.forEach(function (call) { if (api[call[0]]) api[call[0]].apply(api, call.slice(1)); });
})(window, document, navigator);
