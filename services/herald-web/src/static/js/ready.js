// What needs the whole page waits for it; a page may come in parts.

export function ready(action) {
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', action);
  else action();
}
