// A page whose store was away asks until it is back, then loads itself anew.

import { ready } from './ready.js';

const READINESS = '/readyz';

async function isReady() {
  try {
    return (await fetch(READINESS, { cache: 'no-store' })).ok;
  } catch {
    return false;
  }
}

function watch() {
  const notice = document.querySelector('[data-retry]');
  if (!notice) return;
  const again = async () => {
    if (await isReady()) location.reload();
    else setTimeout(again, 1000);
  };
  setTimeout(again, 1000);
}

export function start() {
  ready(watch);
}
