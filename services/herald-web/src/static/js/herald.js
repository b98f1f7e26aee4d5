// What every page starts with. Pages work without any of this; each module looks for
// what it serves and does nothing where that is missing. A page comes in parts and may
// not be whole when this runs: modules listen at the document, or wait with `ready`.

import * as copy from './copy.js';
import * as facets from './facets.js';
import * as histogram from './histogram.js';
import * as keys from './keys.js';
import * as menus from './menus.js';
import * as retry from './retry.js';
import * as rows from './rows.js';
import * as tail from './tail.js';

for (const module of [copy, facets, histogram, keys, rows, menus, retry, tail]) module.start();
