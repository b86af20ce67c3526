// The portal shows only what the API says; it keeps nothing of its own.
const api = '/api/v1';
const by = id => document.getElementById(id);
let csrf = '';

async function call(method, path, body) {
  const response = await fetch(api + path, {
    method,
    headers: { ...(body ? { 'Content-Type': 'application/json' } : {}), ...(method === 'GET' ? {} : { 'X-CSRF-Token': csrf }) },
    body: body ? JSON.stringify(body) : undefined,
  });
  const answer = await response.json();
  if (!response.ok) throw new Error([answer.detail, answer.next_step].filter(Boolean).join(' '));
  return answer;
}

function show(id, visible) { by(id).hidden = !visible; }

function cell(row, content) {
  const td = row.insertCell();
  td.append(content ?? '');
}

function link(url) {
  const a = document.createElement('a');
  a.href = url;
  a.textContent = url;
  return a;
}

function showEntry(kind) {
  const texts = {
    setup: ['Make this appliance yours', 'Choose a password. It unlocks the appliance and is the only key to what it keeps: nobody can reset it for you.', 'Set up'],
    unlock: ['Unlock', 'Everything is sealed until you unlock it.', 'Unlock'],
    login: ['Log in', '', 'Log in'],
  }[kind];
  by('entry').dataset.kind = kind;
  [by('entry-title').textContent, by('entry-help').textContent, by('entry-button').textContent] = texts;
  show('entry', true);
  show('home', false);
  by('password').focus();
}

async function showHome() {
  csrf = (await call('GET', '/auth/csrf')).token;
  const { services } = await call('GET', '/services');
  const remote = await call('GET', '/remote/status');
  by('services').replaceChildren();
  for (const service of services) {
    const row = by('services').insertRow();
    cell(row, service.name);
    cell(row, service.app);
    cell(row, service.state_reason ? `${service.state} (${service.state_reason})` : service.state);
    cell(row, link(`${/^(https|wss)$/.test(service.scheme) ? 'https' : 'http'}://${location.hostname}:${service.public_port}/`));
    cell(row, service.remote_host ? link(`https://${service.remote_host}/`) : 'not published');
  }
  show('no-services', services.length === 0);
  by('remote').textContent = `State: ${remote.state}. Tunnel: ${remote.tunnel.state}${remote.tunnel.reason ? ` (${remote.tunnel.reason})` : ''}.`;
  by('warnings').replaceChildren(...remote.warnings.map(text => Object.assign(document.createElement('li'), { textContent: text })));
  show('entry', false);
  show('home', true);
}

async function refresh() {
  try {
    const crypto = await call('GET', '/crypto/status');
    const session = await call('GET', '/auth/session');
    by('status').textContent = !crypto.initialized ? 'not set up' : crypto.locked ? 'locked' : 'unlocked';
    if (!crypto.initialized) showEntry('setup');
    else if (crypto.locked) showEntry('unlock');
    else if (!session.authenticated) showEntry('login');
    else await showHome();
  } catch (error) {
    by('error').textContent = error.message;
  }
}

async function act(work) {
  by('error').textContent = '';
  try { await work(); } catch (error) { by('error').textContent = error.message; return; }
  await refresh();
}

by('entry').addEventListener('submit', event => {
  event.preventDefault();
  const password = by('password').value;
  act(async () => {
    if (by('entry').dataset.kind === 'setup') await call('POST', '/crypto/setup', { password });
    await call('POST', '/crypto/unlock', { password });
    by('password').value = '';
  });
});

// The daemon starts afresh after a lock: for a moment nobody answers.
async function answersAgain() {
  for (let left = 40; ; left--) {
    await new Promise(done => setTimeout(done, 500));
    try { await call('GET', '/crypto/status'); return; } catch (error) { if (left === 0) throw error; }
  }
}
by('lock').addEventListener('click', () => act(async () => {
  await call('POST', '/crypto/lock');
  await answersAgain();
}));

// On the LAN the portal also answers in clear text: say so, and where it is better.
async function offerHttps() {
  if (location.protocol !== 'http:') return;
  const { device } = await (await fetch('/version')).json();
  if (!device) return;
  const host = location.hostname + (device.https_port === 443 ? '' : `:${device.https_port}`);
  by('https-link').href = by('https-link').textContent = `https://${host}/`;
  by('fingerprint').textContent = device.fingerprint_sha256;
  show('clear-text', true);
}

await refresh();
await offerHttps().catch(() => {});
setInterval(() => { if (!by('home').hidden) refresh(); }, 5000);
