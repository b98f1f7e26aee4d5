// Buttons that copy a value: a short one from the button itself, a long one exactly as
// the record holds it, from the API.

const SHOWN_MS = 1500;

async function textOf(button) {
  const { text, record, field } = button.dataset;
  if (text !== undefined) return text;
  const answer = await fetch(record);
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return (await answer.json())[field];
}

// Browsers give the clipboard to pages of this machine and of https only.
async function write(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  area.setAttribute('readonly', '');
  area.className = 'unseen';
  document.body.append(area);
  area.select();
  const isDone = document.execCommand('copy');
  area.remove();
  if (!isDone) throw new Error('the browser refuses');
}

async function copy(button) {
  let outcome = 'copied';
  try {
    await write(await textOf(button));
  } catch {
    outcome = 'not copied';
  }
  const former = button.textContent;
  if (former === outcome) return;
  button.textContent = outcome;
  button.setAttribute('role', 'status');
  setTimeout(() => {
    button.textContent = former;
    button.removeAttribute('role');
  }, SHOWN_MS);
}

export function start() {
  document.addEventListener('click', (event) => {
    const button = event.target instanceof Element && event.target.closest('button.copy');
    if (button) copy(button);
  });
}
