// Menus close when somebody clicks elsewhere or presses Escape.

import { on } from './keys.js';

const opened = () => document.querySelectorAll('details.menu[open]');

export function start() {
  document.addEventListener('click', (event) => {
    for (const menu of opened()) if (!menu.contains(event.target)) menu.open = false;
  });
  on('Escape', () => {
    const menu = document.activeElement?.closest('details.menu[open]') ?? opened()[0];
    if (!menu) return false;
    menu.open = false;
    menu.querySelector('summary').focus();
    return true;
  });
}
