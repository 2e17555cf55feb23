"""What the browser measures inside a page, and the plain ways beside it: scripts as text. Knows no server.

Times are milliseconds by the page's own clock. `painted` resolves after the frame in which a change was painted.
"""

PRELUDE = """
window.painted = () => new Promise(done => requestAnimationFrame(() => setTimeout(() => done(performance.now()))));
window.until = async (true_) => { while (!true_()) await new Promise(done => setTimeout(done, 2)); return painted(); };
window.frames = async (work) => {
  // The longest time between two frames while something is done: what a hand would feel as a stutter.
  let last = performance.now(), longest = 0, on = true;
  const gaps = [];
  const next = now => { gaps.push(now - last); last = now; if (on) requestAnimationFrame(next); };
  requestAnimationFrame(next);
  const answer = await work();
  on = false;
  gaps.sort((a, b) => a - b);
  return {answer, p95: gaps[Math.floor(gaps.length * .95)] ?? 0, longest: gaps.at(-1) ?? 0};
};
"""

FIRST_ATLASES = """
async ([url, indices, side]) => {
  const began = performance.now();
  const load = part => { const one = new Image(); one.src = `${url}/atlas?side=${side}&indices=${part.join()}`; return one.decode(); };
  const pages = [];
  for (let from = 0; from < indices.length; from += 96) pages.push(load(indices.slice(from, from + 96)));
  await Promise.race(pages);
  const first = performance.now() - began;
  await Promise.all(pages);
  return [first, performance.now() - began];
}
"""

FIRST_THUMBNAILS = """
async ([url, indices]) => {
  const began = performance.now();
  const all = indices.map(index => {
    const one = new Image();
    one.src = `${url}/samples/${index}/thumbnail`;
    return one.decode();
  });
  await Promise.race(all);
  const first = performance.now() - began;
  await Promise.all(all);
  return [first, performance.now() - began];
}
"""

SCROLL = """
async ([selector, tiles, perRow, rowHeight]) => {
  // A screen at a time, on as soon as every image in view is there to be seen.
  const box = document.querySelector(selector), end = tiles / perRow * rowHeight, frame = box.getBoundingClientRect();
  const inView = one => { const at = one.getBoundingClientRect(); return at.bottom > frame.top && at.top < frame.bottom; };
  const source = one => one.src || one.style.backgroundImage.slice(5, -2);
  const screens = [];
  const {longest} = await frames(async () => {
    for (let at = 0; at < end; at += box.clientHeight) {
      const began = performance.now();
      box.scrollTop = at;
      const wanted = Math.floor(box.clientHeight / rowHeight) * perRow;
      const seen = () => [...box.querySelectorAll('.thumb, img')].filter(inView).map(source);
      await until(() => seen().filter(Boolean).length >= wanted);
      await Promise.all([...new Set(seen())].map(async url => {
        const one = new Image();
        one.src = url;
        await one.decode();
      }));
      screens.push(await painted() - began);
    }
  });
  return {screens, longest};
}
"""

PLAIN_GRID = """
async ([url, indices, side]) => {
  document.body.innerHTML = '<div id="plain" style="height:800px;overflow:auto;display:grid;'
    + `grid-template-columns:repeat(12,${side}px);gap:8px;align-content:start"></div>`;
  const grid = document.getElementById('plain');
  const began = performance.now();
  for (const index of indices) {
    const one = new Image(side, side + 40);
    one.loading = 'lazy';
    one.src = `${url}/samples/${index}/thumbnail`;
    grid.append(one);
  }
  await painted();
  return performance.now() - began;
}
"""

DECIDE = """
async (key) => {
  const shown = () => document.querySelector('.panel-where strong')?.textContent;
  const image = () => document.querySelector('.panel-image img');
  const before = shown(), began = performance.now();
  document.body.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}));
  const at = await until(() => shown() !== before && image()?.complete && image().naturalWidth > 0);
  return at - began;
}
"""

PLAIN_NEXT = """
async ([run, dataset, index, next]) => {
  const began = performance.now();
  await fetch(`/api/datasets/${dataset}/decisions`, {
    method: 'POST', headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({items: [{index, verdict: 'keep'}], run_id: run, idempotency_key: `plain-${index}-${began}`}),
  });
  await fetch(`/api/runs/${run}/samples/${next}`).then(one => one.json());
  const image = new Image();
  image.src = `/api/datasets/${dataset}/samples/${next}/image`;
  await image.decode();
  await painted();
  return performance.now() - began;
}
"""

RELEASED = """
() => {
  window.released = new Promise(done => {
    addEventListener('pointerup', () => {
      const began = performance.now();
      frames(() => until(() => document.querySelector('.picked-head strong')))
        .then(({answer, longest}) => done({painted: answer - began, longest}));
    }, {once: true, capture: true});
  });
}
"""

MASKS = """
async ([run, corners]) => {
  const buffer = await fetch(`/api/runs/${run}/map/points`).then(one => one.arrayBuffer());
  const n = buffer.byteLength / 5;
  const x = new Uint16Array(buffer, 0, n), y = new Uint16Array(buffer, 2 * n, n), group = new Uint8Array(buffer, 4 * n, n);
  const polygon = Array.from({length: corners}, (_, at) => {
    const angle = at / corners * 2 * Math.PI, far = 18000 + 3000 * Math.sin(9 * angle);
    return {x: 32768 + far * Math.cos(angle), y: 32768 + far * Math.sin(angle)};
  });
  const url = performance.getEntriesByType('resource').find(({name}) => name.includes('cloudWorker')).name;
  const worker = new Worker(url, {type: 'module'});
  let id = 0;
  const ask = question => new Promise(done => {
    const mine = ++id;
    worker.addEventListener('message', ({data}) => data.id === mine && done(data.answer));
    worker.postMessage({id: mine, question});
  });
  await ask({ask: 'load', x, y, group});
  const worked = [], off = new Uint8Array(256);
  let inside = 0;
  for (let turn = 0; turn < 5; turn += 1) {
    const began = performance.now();
    inside = (await ask({ask: 'inside', polygon, off})).length;
    worked.push(performance.now() - began);
  }
  worker.terminate();
  const plain = [];
  let found = [];
  for (let turn = 0; turn < 3; turn += 1) {
    const began = performance.now();
    found = [];
    for (let at = 0; at < n; at += 1) {
      let odd = false, before = polygon[corners - 1];
      for (const corner of polygon) {
        if (corner.y > y[at] !== before.y > y[at]
          && x[at] < (before.x - corner.x) * (y[at] - corner.y) / (before.y - corner.y) + corner.x) odd = !odd;
        before = corner;
      }
      if (odd) found.push(at);
    }
    plain.push(performance.now() - began);
  }
  const median = all => all.sort((a, b) => a - b)[Math.floor(all.length / 2)];
  return {worker: median(worked), plain: median(plain), inside, same: inside === found.length};
}
"""

SLIDE = """
async (key) => {
  const plot = document.querySelector('.plot-host'), slider = document.querySelector('[role=slider][aria-label=Epoch]');
  const before = plot.textContent, began = performance.now();
  slider.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}));
  return await until(() => plot.textContent !== before) - began;
}
"""

PLAIN_SLIDE = """
async ([run, epoch]) => {
  const began = performance.now();
  const figure = await fetch(`/api/runs/${run}/figures/loss?epoch=${epoch}`).then(one => one.json());
  const host = document.querySelector('.plot-host');
  await Plotly.react(host, figure.data, figure.layout);
  await painted();
  return performance.now() - began;
}
"""
