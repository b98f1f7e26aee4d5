// Single keys, unless somebody types: a module says with `on` what a key does. The
// last one that was told is asked first; it says whether it has done something.

const actions = new Map();

export function on(key, action) {
  actions.set(key, [action, ...(actions.get(key) ?? [])]);
}

export function isTyping(target) {
  return target instanceof Element &&
    target.closest('input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]') !== null;
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key !== 'Escape' && isTyping(event.target)) return;
  if (actions.get(event.key)?.some((action) => action(event))) event.preventDefault();
}

// A link that has a key.
function follow(selector) {
  const link = document.querySelector(selector);
  link?.click();
  return link !== null;
}

export function start() {
  document.addEventListener('keydown', press);
  on('/', () => {
    const search = document.querySelector('[data-search]');
    search?.focus();
    search?.select();
    return search !== null;
  });
  on('t', () => follow('[data-key="t"]'));
  on('a', () => follow('a[href="/alerts"]'));
  on('?', () => follow('a[href="/help"]'));
}
