// Shows /openapi/v1.json: every operation with its parameters, shapes and a form to try it.
const byId = id => document.getElementById(id);

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

const api = await (await fetch('/openapi/v1.json')).json();
const resolve = schema => schema?.$ref ? api.components.schemas[schema.$ref.split('/').at(-1)] : schema ?? {};

function typeName(schema) {
  if (schema.$ref) return schema.$ref.split('/').at(-1);
  if (schema.type === 'array') return `${typeName(schema.items)}[]`;
  return schema.format ? `${schema.type} (${schema.format})` : schema.type ?? 'any';
}

// An example of the shape; a message inside itself is cut off.
function example(schema, seen = []) {
  const name = schema.$ref;
  if (name && seen.includes(name)) return {};
  const shape = resolve(schema);
  const path = name ? [...seen, name] : seen;
  if (shape.enum) return shape.enum[1] ?? shape.enum[0];
  if (shape.type === 'array') return [example(shape.items ?? {}, path)];
  if (shape.type === 'object' && shape.properties) {
    return Object.fromEntries(Object.entries(shape.properties).map(([key, value]) => [key, example(value, path)]));
  }
  if (shape.type === 'object') return {};
  if (shape.format === 'date-time') return '2026-03-31T12:00:00Z';
  return { integer: 0, number: 0, boolean: false }[shape.type] ?? shape.examples?.[0] ?? '';
}

function fields(schema, depth = 0) {
  const shape = resolve(schema);
  const rows = Object.entries(shape.properties ?? {}).map(([name, value]) => {
    const inner = value.type === 'array' ? value.items : value;
    const nested = resolve(inner).properties && depth < 3;
    return element('tr', {},
      element('td', {}, element('code', { textContent: name })),
      element('td', { textContent: typeName(value) }),
      element('td', {},
        element('span', { className: 'comment', textContent: value.description ?? resolve(inner).description ?? '' }),
        ...(nested ? [element('details', {}, element('summary', { textContent: 'fields' }), fields(inner, depth + 1))] : [])));
  });
  return element('table', {}, ...rows);
}

function tryIt(verb, path, operation) {
  const inputs = (operation.parameters ?? []).map(parameter => [parameter, element('input', { placeholder: typeName(parameter.schema) })]);
  const [contentType, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  const body = media && element('textarea', { rows: 8, value: media.schema ? JSON.stringify(example(media.schema), null, 2) : '' });
  const result = element('pre', { hidden: true });
  const send = element('button', { textContent: 'Send' });
  send.onclick = async () => {
    let url = path;
    const query = new URLSearchParams();
    const headers = byId('key').value ? { Authorization: `Bearer ${byId('key').value}` } : {};
    for (const [parameter, input] of inputs) {
      if (parameter.in === 'path') url = url.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
      else if (input.value && parameter.in === 'query') query.append(parameter.name, input.value);
      else if (input.value) headers[parameter.name] = input.value;
    }
    if (body) headers['Content-Type'] = contentType;
    result.hidden = false;
    result.textContent = '…';
    try {
      const response = await fetch(url + (query.size ? `?${query}` : ''), { method: verb.toUpperCase(), headers, body: body?.value });
      const text = response.headers.get('content-type')?.startsWith('text/event-stream') ? '(a stream; read it with a client)' : await response.text();
      let shown = text;
      try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: shown as it is */ }
      result.textContent = `${response.status} ${response.statusText}\n${shown}`;
    } catch (error) {
      result.textContent = String(error);
    }
  };
  return element('details', {}, element('summary', { textContent: 'Try it' }),
    ...inputs.map(([parameter, input]) => element('label', {}, `${parameter.name} `, input)), ...(body ? [body] : []), send, result);
}

function operationSection(verb, path, operation) {
  const section = element('section', { id: operation.operationId },
    element('h3', {}, element('span', { className: 'verb', textContent: verb.toUpperCase() }), path),
    element('p', { className: 'comment', textContent: operation.description ?? operation.summary }));
  if (operation.parameters) {
    section.append(element('table', {}, ...operation.parameters.map(parameter => element('tr', {},
      element('td', {}, element('code', { textContent: parameter.name })),
      element('td', { textContent: `${parameter.in}, ${typeName(parameter.schema)}` }),
      element('td', { className: 'comment', textContent: parameter.description ?? '' })))));
  }
  for (const [type, media] of Object.entries(operation.requestBody?.content ?? {})) {
    section.append(element('details', {}, element('summary', { textContent: `Body: ${type}` }), ...(media.schema ? [fields(media.schema)] : [])));
  }
  for (const [type, media] of Object.entries(operation.responses['200'].content ?? {})) {
    section.append(element('details', {}, element('summary', { textContent: `Answer: ${type}` }), ...(media.schema ? [fields(media.schema)] : [])));
  }
  section.append(tryIt(verb, path, operation));
  return section;
}

function show() {
  const wanted = byId('find').value.toLowerCase();
  byId('list').replaceChildren();
  byId('main').replaceChildren(element('p', { className: 'comment', textContent: api.info.description }));
  for (const tag of api.tags) {
    const operations = Object.entries(api.paths).flatMap(([path, item]) => Object.entries(item).map(([verb, operation]) => ({ path, verb, operation })))
      .filter(({ path, operation }) => operation.tags.includes(tag.name) && `${path} ${tag.name} ${operation.summary}`.toLowerCase().includes(wanted));
    if (operations.length === 0) continue;
    byId('list').append(element('h2', { textContent: tag.name }), ...operations.map(({ path, verb, operation }) => element('a',
      { href: `#${operation.operationId}`, title: operation.summary }, element('span', { className: 'verb', textContent: verb.toUpperCase() }), path)));
    byId('main').append(element('h2', { textContent: tag.name }), element('p', { className: 'comment', textContent: tag.description }),
      ...operations.map(({ path, verb, operation }) => operationSection(verb, path, operation)));
  }
}

byId('find').oninput = show;
show();
if (location.hash) document.querySelector(location.hash)?.scrollIntoView();
