// Rows that open in place, and the keys that lead through them. What is inserted is
// HTML that the server has made; the address says which row is open.

import { on } from './keys.js';

const all = () => [...document.querySelectorAll('.records .row')];
const current = () => document.activeElement?.closest('.records .row');
const toggleOf = (row) => row.querySelector('a.toggle');
const isOpen = (row) => toggleOf(row).getAttribute('aria-expanded') === 'true';

function tellAddress(id) {
  // A tail has no place for a row that is open.
  if (location.pathname !== '/' || document.querySelector('[data-tail]')) return;
  const address = new URL(location);
  address.hash = '';
  const former = address.searchParams.get('open');
  if (id === null) address.searchParams.delete('open');
  else address.searchParams.set('open', id);
  if (former !== id) history.replaceState(history.state, '', address);
}

async function fetched(id) {
  try {
    return await (await fetch(`/record/${id}/row${location.pathname === '/' ? location.search : ''}`)).text();
  } catch {
    return '<p class="note" role="alert">Herald does not answer.</p>';
  }
}

function show(row, html) {
  const details = document.createElement('tr');
  details.className = `details ${row.className.replace('row', '').trim()}`;
  const cell = details.insertCell();
  cell.colSpan = row.cells.length;
  cell.innerHTML = html;
  row.after(details);
}

export function close(row) {
  const details = row.nextElementSibling;
  if (details?.classList.contains('details')) details.remove();
  const toggle = toggleOf(row);
  toggle.setAttribute('aria-expanded', 'false');
  const address = new URL(location);
  if (address.searchParams.get('open') === toggle.dataset.row) tellAddress(null);
}

export async function toggle(row) {
  if (isOpen(row)) return close(row);
  const link = toggleOf(row);
  link.setAttribute('aria-expanded', 'true');
  const html = await fetched(link.dataset.row);
  if (!isOpen(row) || row.nextElementSibling?.classList.contains('details')) return;
  show(row, html);
  tellAddress(link.dataset.row);
}

function go(row) {
  if (!row) return false;
  row.tabIndex = -1;
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: 'nearest' });
  return true;
}

// The next row that fits in a direction, from the focused one or the first in sight.
function next(step, fits = () => true) {
  const rows = all();
  const from = rows.indexOf(current());
  let at = from + step;
  if (from < 0) {
    const seen = rows.findIndex((row) => row.getBoundingClientRect().bottom > 40);
    at = step > 0 ? Math.max(seen, 0) : seen - 1;
  }
  while (rows[at] && !fits(rows[at])) at += step;
  return go(rows[at]);
}

function click(event) {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  if (!(event.target instanceof Element)) return;
  const row = event.target.closest('.records .row');
  if (!row || row.closest('.here')) return;
  const control = event.target.closest('a, button, input, summary');
  if (control && !control.matches('.toggle, .whole')) return;
  if (!control && !getSelection().isCollapsed) return;
  event.preventDefault();
  toggle(row);
}

export function start() {
  document.addEventListener('click', click);
  const bad = (row) => row.matches('.error, .critical');
  const warning = (row) => row.matches('.warning');
  on('j', () => next(1));
  on('k', () => next(-1));
  on('e', () => next(1, bad));
  on('E', () => next(-1, bad));
  on('w', () => next(1, warning));
  on('W', () => next(-1, warning));
  on('Enter', (event) => {
    const row = event.target instanceof Element && event.target.matches('.records .row') ? event.target : null;
    if (row) toggle(row);
    return row !== null;
  });
  on('Escape', () => {
    const inside = document.activeElement?.closest('.details');
    const row = inside ? inside.previousElementSibling : current();
    if (!row || !isOpen(row)) return false;
    close(row);
    return go(row);
  });
}
