import { track } from './messages';

const attribute = 'data-lifecycle-form';

/** Never read, whatever they are called. */
const skippedType = /^(password|file|hidden|submit|button|reset|image)$/;

/** What is secret by its purpose: cards, passwords, one-time codes. */
const secret = /^(cc-|one-time|(new|current)-pass)|passw|pwd|(card|cc).?num|cv[cv]|\biban|\bssn\b/i;

function fieldsOf(form: HTMLFormElement): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const input of form.elements as unknown as Iterable<HTMLInputElement>) {
    const { name, type, value } = input;
    if (!name || skippedType.test(type) || secret.test(input.autocomplete) || secret.test(name) || input.closest('[data-lifecycle-ignore]')
      || (/^(checkbox|radio)$/.test(type) && !input.checked)) continue;
    fields[name] = ((fields[name] ? fields[name] + ', ' : '') + value).slice(0, 1000);
  }
  return fields;
}

/** Reports a form, by element or selector, as sent now. */
export function reportForm(given: HTMLFormElement | string, formType?: string): void {
  const form = typeof given === 'string' ? document.querySelector<HTMLFormElement>(given) : given;
  if (!form) return;
  track('Form Submitted', {
    // A field may be called id, and then hides the form's own.
    formId: form.getAttribute('id') || form.getAttribute('name') || '',
    formType: formType || form.getAttribute(attribute) || 'other',
    fields: fieldsOf(form),
  });
}

/** Reports forms that carry the attribute when they are submitted. */
export function watchForms(): void {
  document.addEventListener('submit', event => {
    const form = event.target as HTMLFormElement;
    if (form.hasAttribute?.(attribute)) reportForm(form);
  }, true);
}
