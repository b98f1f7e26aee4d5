// Single keys, unless somebody types: a module says with `on` what a key does.

const actions = new Map();

export function on(key, action) {
  actions.set(key, action);
}

export function isTyping(target) {
  return target instanceof Element &&
    target.closest('input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]') !== null;
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key !== 'Escape' && isTyping(event.target)) return;
  if (actions.get(event.key)?.(event)) event.preventDefault();
}

export function start() {
  document.addEventListener('keydown', press);
  on('/', () => {
    const search = document.querySelector('[data-search]');
    search?.focus();
    search?.select();
    return search !== null;
  });
}
