// The tail: rows as the server sends them, the newest at the bottom. Whoever scrolls
// up or clicks reads in peace; what comes meanwhile waits, and is counted.

import { ready } from './ready.js';

const MOST_ROWS = 1000;
// When there are more, so many go at once: each time all others move.
const TRIMMED_ROWS = 250;
// More than these in one frame are felt.
const FRAME_ROWS = 50;
// Scrolled up by so much, somebody reads.
const READING_PX = 32;
// The store says something every 5 s; after this the line is dead.
const SILENCE_MS = 12_000;
// A line that was cut and is back by then was never away.
const PATIENCE_MS = 700;
const AGAIN_MS = 1_000;
// Rates are of the last so many seconds.
const RATE_S = 5;

const plural = (count, noun) => `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
// Two digits say enough of a rate.
const roughly = (number) => Number(number.toPrecision(2)).toLocaleString('en');

// What goes by in a second, and how much of it is shown.
class Rate {
  #seconds = [];
  #since = Math.floor(performance.now() / 1000);

  add(shown, leftOut) {
    const second = Math.floor(performance.now() / 1000);
    const last = this.#seconds.at(-1);
    if (last?.second === second) {
      last.shown += shown;
      last.leftOut += leftOut;
    } else this.#seconds.push({ second, shown, leftOut });
  }

  tell(line) {
    const now = Math.floor(performance.now() / 1000);
    this.#seconds = this.#seconds.filter(({ second }) => second >= now - RATE_S);
    const whole = this.#seconds.filter(({ second }) => second < now);
    const sum = (of) => whole.reduce((all, second) => all + second[of], 0) / Math.max(Math.min(now - this.#since, RATE_S), 1);
    const [shown, leftOut] = [sum('shown'), sum('leftOut')];
    line.classList.toggle('samples', leftOut > 0);
    if (leftOut > 0) {
      line.textContent = `showing ${roughly(shown)} of about ${roughly(shown + leftOut)} records/s; narrow the filter to see all`;
    } else line.textContent = shown >= 0.5 ? `${roughly(shown)} records/s` : '';
  }
}

class Tail {
  #list;
  #body;
  #state = document.querySelector('.state');
  #hold = document.querySelector('.hold');
  #rate = new Rate();
  // Rows that are not shown yet, the oldest first, and how many were before them.
  #waiting = [];
  #dropped = 0;
  #isPlanned = false;
  #isPaused = false;
  // Since it was paused: has the end been out of sight, and how many rows came?
  #wasAway = false;
  #news = 0;
  #source = null;
  #through = null;
  #heardAt = 0;
  #lost = null;
  #timers = {};

  constructor(list) {
    this.#list = list;
    this.#body = list.querySelector('tbody');
    list.classList.add('held');
    this.#toEnd();
    list.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    // Before it has scrolled: what comes at that moment must not take the list back.
    list.addEventListener('wheel', ({ deltaY }) => {
      if (deltaY < 0 && list.scrollTop > 0) this.#pause();
    }, { passive: true });
    list.addEventListener('pointerdown', () => this.#pause());
    list.addEventListener('focusin', ({ target }) => { if (target !== list) this.#pause(); });
    new ResizeObserver(() => { if (!this.#isPaused) this.#toEnd(); }).observe(list);
    this.#hold.hidden = false;
    this.#hold.addEventListener('click', () => (this.#isPaused ? this.#resume() : this.#pause()));
    addEventListener('pagehide', () => this.#source?.close());
    addEventListener('pageshow', ({ persisted }) => { if (persisted) this.#connect(); });
    addEventListener('online', () => { if (this.#lost !== null) this.#connect(); });
    setInterval(() => this.#everySecond(), 1_000);
    this.#tell();
    this.#connect();
  }

  // Rows.

  #take(html) {
    const template = document.createElement('template');
    template.innerHTML = html;
    const rows = [...template.content.children];
    const count = rows.filter((row) => row.matches('.row')).length;
    this.#rate.add(count, 0);
    this.#waiting.push(...rows);
    const surplus = this.#waiting.length - MOST_ROWS;
    if (surplus > 0) {
      this.#dropped += this.#waiting.splice(0, surplus).filter((row) => row.matches('.row')).length;
    }
    if (this.#isPaused) {
      this.#news += count;
      this.#tell();
    } else this.#plan();
  }

  #plan() {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    // A page that nobody sees has no frames.
    if (document.hidden) setTimeout(() => this.#show(), 0);
    else requestAnimationFrame(() => this.#show());
  }

  #show() {
    this.#isPlanned = false;
    if (this.#isPaused || this.#waiting.length === 0) return;
    const rows = this.#waiting.splice(0, FRAME_ROWS);
    if (this.#dropped > 0) rows.unshift(this.#missed(this.#dropped));
    this.#dropped = 0;
    this.#list.querySelector('.empty')?.remove();
    this.#body.append(...rows);
    if (this.#body.rows.length > MOST_ROWS) {
      for (const row of [...this.#body.rows].slice(0, TRIMMED_ROWS)) row.remove();
    }
    this.#toEnd();
    if (this.#waiting.length > 0) this.#plan();
  }

  #missed(count) {
    const row = document.createElement('tr');
    row.className = 'missed';
    const cell = row.insertCell();
    cell.colSpan = this.#list.querySelectorAll('thead th').length;
    cell.textContent = `${plural(count, 'older record')} came while this was paused; the list has them`;
    return row;
  }

  // Pausing.

  #fromEnd() {
    return this.#list.scrollHeight - this.#list.clientHeight - this.#list.scrollTop;
  }

  #toEnd() {
    this.#list.scrollTop = this.#list.scrollHeight;
  }

  #scrolled() {
    const distance = this.#fromEnd();
    if (distance > READING_PX) {
      this.#pause();
      this.#wasAway = true;
    } else if (distance < 4 && this.#isPaused && this.#wasAway) this.#resume();
  }

  #pause() {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#wasAway = false;
    this.#tell();
  }

  #resume() {
    this.#isPaused = false;
    this.#news = 0;
    if (this.#list.contains(document.activeElement)) this.#list.focus({ preventScroll: true });
    this.#show();
    this.#toEnd();
    this.#tell();
  }

  // The line to the server.

  #connect() {
    clearTimeout(this.#timers.again);
    this.#source?.close();
    const address = new URL(this.#list.dataset.tail, location);
    if (this.#through !== null) address.searchParams.set('after', this.#through);
    const source = new EventSource(address);
    this.#source = source;
    this.#heardAt = performance.now();
    source.addEventListener('message', (event) => {
      this.#heard(event);
      this.#take(event.data);
    });
    source.addEventListener('sampled', (event) => this.#rate.add(0, JSON.parse(event.data).left_out));
    source.addEventListener('alive', (event) => this.#heard(event));
    source.addEventListener('problem', (event) => this.#away(JSON.parse(event.data).message));
    source.addEventListener('error', () => {
      this.#timers.lost ??= setTimeout(() => this.#away('the connection is lost'), PATIENCE_MS);
      if (source.readyState !== EventSource.CLOSED) return;
      this.#timers.again = setTimeout(() => this.#connect(), AGAIN_MS);
    });
  }

  #heard(event) {
    this.#through = event.lastEventId || this.#through;
    this.#heardAt = performance.now();
    clearTimeout(this.#timers.lost);
    delete this.#timers.lost;
    if (this.#lost === null) return;
    this.#lost = null;
    this.#tell();
  }

  #away(reason) {
    if (this.#lost === reason) return;
    this.#lost = reason;
    this.#tell();
  }

  #everySecond() {
    if (performance.now() - this.#heardAt > SILENCE_MS) {
      this.#away('nothing is heard any more');
      this.#connect();
    }
    if (!document.hidden) this.#rate.tell(document.querySelector('.rate'));
  }

  // What is told.

  #tell() {
    const [state, text] = this.#lost !== null
      ? ['lost', `Not following: ${this.#lost}. Trying again …`]
      : this.#isPaused ? ['paused', 'Paused'] : ['follows', 'Following'];
    if (this.#state.textContent !== text) this.#state.textContent = text;
    this.#state.className = `state ${state}`;
    const news = `${this.#news.toLocaleString('en')} new`;
    const label = !this.#isPaused ? 'Pause' : this.#news > 0 ? news : 'Follow';
    if (this.#hold.textContent !== label) this.#hold.textContent = label;
    this.#hold.classList.toggle('has-new', this.#news > 0);
  }
}

export function start() {
  ready(() => {
    const list = document.querySelector('[data-tail]');
    if (list) new Tail(list);
  });
}
