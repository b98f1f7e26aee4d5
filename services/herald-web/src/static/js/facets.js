// Finding a value within a facet: the server sends the list that fits.

const PAUSE_MS = 150;

const states = new WeakMap();

async function find(input) {
  const list = input.parentElement.querySelector('.found');
  const state = states.get(input) ?? { all: list.innerHTML, asked: null };
  states.set(input, state);
  state.asked?.abort();
  const text = input.value.trim();
  if (text === '') {
    list.innerHTML = state.all;
    return;
  }
  state.asked = new AbortController();
  const address = new URL(input.dataset.find, location);
  address.pathname += '/list';
  address.searchParams.set('find', text);
  try {
    const answer = await fetch(address, { signal: state.asked.signal });
    list.innerHTML = await answer.text();
  } catch (error) {
    if (error.name !== 'AbortError') list.textContent = 'Herald does not answer.';
  }
}

export function start() {
  let pause;
  document.addEventListener('input', (event) => {
    if (!(event.target instanceof Element) || !event.target.matches('input[data-find]')) return;
    clearTimeout(pause);
    pause = setTimeout(find, PAUSE_MS, event.target);
  });
}
