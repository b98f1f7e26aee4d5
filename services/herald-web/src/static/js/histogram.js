// Dragging over the histogram selects a time range; arrow keys go from bar to bar.

import { ready } from './ready.js';

const LEAST_PX = 5;

function select(plot, from, to) {
  const [start, end] = [plot.dataset.start, plot.dataset.end].map(Date.parse);
  const bars = Number(plot.dataset.bars);
  const first = Math.floor(Math.min(from, to) * bars);
  const last = Math.max(Math.ceil(Math.max(from, to) * bars), first + 1);
  const timeOf = (bar) => new Date(start + (end - start) * bar / bars).toISOString();
  const address = new URL(location);
  for (const name of ['before', 'after', 'open']) address.searchParams.delete(name);
  address.searchParams.set('from', timeOf(first));
  address.searchParams.set('to', timeOf(last));
  address.hash = '';
  location.assign(address);
}

function drag(down) {
  const plot = down.target instanceof Element && down.target.closest('.plot');
  if (!plot || down.button !== 0) return;
  const { left, width } = plot.getBoundingClientRect();
  const share = (event) => Math.min(Math.max((event.clientX - left) / width, 0), 1);
  const from = share(down);
  let mark = null;
  const move = (event) => {
    if (!mark && Math.abs(event.clientX - down.clientX) < LEAST_PX) return;
    if (!mark) {
      mark = document.createElement('div');
      mark.className = 'selection';
      plot.append(mark);
      plot.setPointerCapture(down.pointerId);
    }
    mark.style.left = `${100 * Math.min(from, share(event))}%`;
    mark.style.width = `${100 * Math.abs(from - share(event))}%`;
  };
  const end = (event) => {
    plot.removeEventListener('pointermove', move);
    plot.removeEventListener('pointerup', end);
    plot.removeEventListener('pointercancel', end);
    if (!mark) return;
    mark.remove();
    // The click that follows is none on a bar.
    addEventListener('click', (click) => click.preventDefault(), { capture: true, once: true });
    setTimeout(() => {
      if (event.type === 'pointerup') select(plot, from, share(event));
    });
  };
  plot.addEventListener('pointermove', move);
  plot.addEventListener('pointerup', end);
  plot.addEventListener('pointercancel', end);
}

function step(event) {
  const bar = event.target instanceof Element && event.target.closest('.plot a');
  if (!bar) return;
  const bars = [...bar.closest('.plot').querySelectorAll('a')];
  const at = bars.indexOf(bar);
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: bars.length - 1 }[event.key];
  if (!bars[to]) return;
  event.preventDefault();
  bar.setAttribute('tabindex', '-1');
  bars[to].setAttribute('tabindex', '0');
  bars[to].focus();
}

export function start() {
  document.addEventListener('pointerdown', drag);
  document.addEventListener('keydown', step);
  document.addEventListener('dragstart', (event) => {
    if (event.target instanceof Element && event.target.closest('.plot')) event.preventDefault();
  });
  // One of the bars is enough on the way of the tabulator.
  ready(() => {
    for (const [at, bar] of document.querySelectorAll('.counts:last-child .plot a').entries()) {
      bar.setAttribute('tabindex', at === 0 ? '0' : '-1');
    }
  });
}
