// What every page starts with. Pages work without any of this; each module looks for
// what it serves and does nothing where that is missing.

import * as copy from './copy.js';
import * as keys from './keys.js';
import * as retry from './retry.js';

for (const module of [copy, keys, retry]) module.start();
