// The page of the studio. The server has all pictures and paintings; here is what is looked at and chosen.

const $ = (id) => document.getElementById(id);
const token = document.querySelector("meta[name=token]").content;
const form = $("settings");
const KEPT = "tfstyle.studio";
const USUAL_STRENGTH = 0.5; // the same as the default, 0, which leaves it to the weights

let server = null; // what /api/state told
let paintings = new Map(); // by id, the newest first
let records = new Map(); // pictures by id
const chosen = { photo: "", styles: [], mix: false, mask: "", view: { kind: "photo" }, settings: {} };
let planning = null, planTimer = 0, waiting = 0; // waiting: thumbnails that are still to come

// Asking the server

async function ask(path, { body, signal } = {}) {
  const options = body === undefined ? { signal }
    : { method: "POST", signal, headers: { "X-Tfstyle-Token": token }, body: body instanceof Blob ? body : JSON.stringify(body) };
  const response = await fetch(path, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

async function upload(file, kind) {
  if (file.size > server.limits.bytes) throw new Error(`${file.name}: has more than ${server.limits.bytes / 1e6} MB`);
  const record = await ask(`/api/pictures?kind=${kind}&name=${encodeURIComponent(file.name)}`, { body: file });
  records.set(record.id, record);
  return record;
}

function tell(error) {
  if (error?.name === "AbortError") return;
  $("problem").textContent = error ? error.message || String(error) : "";
  $("problem").hidden = !error;
}

const trying = (work) => async (...given) => {
  try { tell(); await work(...given); } catch (error) { tell(error); } finally { $("busy").hidden = true; }
};

function busy(text) {
  $("busy").textContent = text;
  $("busy").hidden = false;
}

// Words

const isLearned = (style) => server.learned.includes(style);
const isShipped = (style) => isLearned(style) || server.own.includes(style);
const styleName = (style) => {
  const name = (isShipped(style) ? style : (records.get(style)?.name ?? "a picture").replace(/\.\w+$/, "")).replaceAll("_", " ").trim() || "a picture";
  return name[0].toUpperCase() + name.slice(1);
};
const names = (styles) => styles.map((each) => styleName(each.id)).join(" + ");
const styleImage = (style) => (isShipped(style) ? `/styles/${style}.jpg` : `/pictures/${style}.jpg`);

function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const STATES = { queued: "Waiting", painting: "Painting", paused: "Paused", done: "Finished", stopped: "Stopped early", failed: "Failed" };

function stateOf(painting) {
  const { state, asked, step, total, left, error } = painting;
  if (error) return `${STATES[state]}: ${error}`;
  if (state === "done") return painting.seconds ? `Finished in ${duration(painting.seconds)}` : STATES.done;
  const far = total ? `, ${step} of ${total}` : "";
  if (state !== "painting") return STATES[state] + far;
  if (asked) return asked === "pause" ? "Pausing after this step" : "Stopping after this step";
  if (!total) return "Preparing";
  return `Painting${far}${left == null ? "" : `, about ${duration(left)} left`}`;
}

// What is chosen

function keep() {
  localStorage.setItem(KEPT, JSON.stringify(chosen));
}

function recall() {
  try { Object.assign(chosen, JSON.parse(localStorage.getItem(KEPT))); } catch { localStorage.removeItem(KEPT); }
  if (!records.has(chosen.photo)) Object.assign(chosen, { photo: "", mask: "", view: { kind: "photo" } });
  chosen.styles = chosen.styles.filter((each) => isShipped(each.id) || records.has(each.id));
  if (chosen.view.kind === "painting" && !paintings.has(chosen.view.id)) chosen.view = { kind: "photo" };
  $("mix").checked = chosen.mix;
  const usual = { ...server.settings, style_strength: server.settings.style_strength || USUAL_STRENGTH };
  fillSettings({ ...usual, ...chosen.settings });
}

function fillSettings(settings) {
  for (const [name, value] of Object.entries(settings)) {
    const field = form.elements[name];
    if (name === "color") field.checked = value === "content";
    else if (field) field.value = value;
  }
  readSettings();
}

function readSettings() {
  const { style_strength, style_scale, iterations, image_size, weights, color } = form.elements;
  chosen.settings = {
    style_strength: Number(style_strength.value), style_scale: Number(style_scale.value), iterations: Number(iterations.value),
    image_size: Number(image_size.value), weights: weights.value, color: color.checked ? "content" : "style",
  };
  for (const field of [style_strength, style_scale, iterations]) field.parentElement.querySelector("output").value = field.value;
}

const maskOf = () => (chosen.styles.length > 1 ? "" : chosen.mask); // a mixture goes everywhere
const order = () => ({ content: chosen.photo, styles: chosen.styles, mask: maskOf(), settings: chosen.settings });

function choosePhoto(id) {
  hideMask();
  Object.assign(chosen, { photo: id, mask: "", view: { kind: "photo" } });
  changed();
}

function chooseStyle(id) {
  const there = chosen.styles.some((each) => each.id === id);
  const mixed = chosen.mix && ![id, ...chosen.styles.map((each) => each.id)].some(isLearned);
  if (!mixed) chosen.styles = [{ id, share: 1 }];
  else if (there) chosen.styles = chosen.styles.filter((each) => each.id !== id);
  else if (chosen.styles.length < server.limits.styles) chosen.styles = [...chosen.styles, { id, share: 0.5 }];
  else throw new Error(`at most ${server.limits.styles} styles can be mixed`);
  if (chosen.photo) chosen.view = chosen.styles.length === 1 ? { kind: "instant", style: chosen.styles[0].id } : { kind: "photo" };
  changed();
}

function changed() {
  keep();
  show();
  planSoon();
}

// The plan: asked for when nothing has changed for a moment, and no thumbnails are waited for

function planSoon() {
  clearTimeout(planTimer);
  planning?.abort();
  const learned = chosen.styles.some((each) => isLearned(each.id));
  const ready = chosen.photo && chosen.styles.length && !learned;
  $("start").disabled = !ready;
  $("plan").classList.remove("wrong");
  $("plan").textContent = ready ? "Looking how long it will take …"
    : learned && chosen.photo ? "A network learned this style: keep it as it is, or add a picture of the painting to have it painted properly."
    : `Choose a ${[chosen.photo ? "" : "photograph", chosen.styles.length ? "" : "painting"].filter(Boolean).join(" and a ")}.`;
  if (ready && !waiting && !document.hidden) planTimer = setTimeout(plan, 500);
}

async function plan() {
  planning = new AbortController();
  try {
    const { width, height, seconds, bytes, limit, fits, remedies } = await ask("/api/plan", { body: order(), signal: planning.signal });
    const gigabytes = (value) => (value / 1e9).toFixed(1);
    const room = Number.isFinite(limit) && limit ? ` of ${gigabytes(limit)} GB free` : " GB";
    $("plan").textContent = `${width} × ${height} pixels, at least ${duration(seconds)}, ${gigabytes(bytes)}${room} memory`
      + (fits ? "" : `. It may not fit: try ${remedies.join(" or ")}`);
    $("plan").classList.toggle("wrong", !fits);
  } catch (error) {
    if (error.name === "AbortError") return;
    $("plan").textContent = error.message;
    $("plan").classList.add("wrong");
  }
}

// Showing

function show() {
  showViewer();
  showStyles();
  showChosen();
  showPainting();
  showHistory();
}

const viewed = () => (chosen.view.kind === "painting" ? paintings.get(chosen.view.id) : undefined);
const photoOf = () => viewed()?.order.content ?? chosen.photo;
const previewOf = (painting) => `/paintings/${painting.id}/preview.jpg?n=${painting.preview}`;

function setImage(image, source) {
  if (image.dataset.wanted === source) return;
  image.dataset.wanted = source;
  const next = new Image(); // so that the picture that is there stays until the next one is
  next.onload = () => { if (image.dataset.wanted === source) image.src = source; };
  next.src = source;
}

function showViewer() {
  const photo = photoOf(), painting = viewed(), { view } = chosen;
  $("drop").hidden = Boolean(photo);
  $("pictures").hidden = $("bar").hidden = !photo;
  if (!photo) return;
  const after = painting ? (painting.preview ? previewOf(painting) : "")
    : view.kind === "instant" ? `/pictures/${photo}/${view.style}/large.jpg` : "";
  showAgainst(painting);
  const other = paintings.get($("against").value);
  const { width, height } = records.get(photo) ?? {};
  if (width) $("before").style.aspectRatio = `${width} / ${height}`;
  setImage($("before"), other ? previewOf(other) : `/pictures/${photo}.jpg?large`);
  if (after) setImage($("after"), after);
  $("keep").hidden = view.kind !== "instant";
  $("after").hidden = $("divider").hidden = $("compare").hidden = !after;
  $("against-label").hidden = !after || $("against").length < 2;
  $("before").alt = other ? `Earlier painting in ${names(other.order.styles)}` : `Photograph ${records.get(photo)?.name ?? ""}`;
  $("after").alt = painting ? `Painting in ${names(painting.order.styles)}` : view.style ? `In the style of ${styleName(view.style)}` : "";
  $("caption").textContent = painting ? names(painting.order.styles) : view.kind === "instant" ? `${styleName(view.style)}, at once` : "Photograph";
}

function showAgainst(painting) {
  const earlier = [...paintings.values()].filter((each) => painting && each.id !== painting.id && each.preview
    && each.order.content === painting.order.content && each.created < painting.created);
  const was = $("against").value;
  const named = (each) => new Option([names(each.order.styles), each.order.settings?.style_strength].filter(Boolean).join(", "), each.id);
  $("against").replaceChildren(new Option("photograph", ""), ...earlier.slice(0, 8).map(named));
  $("against").value = earlier.some((each) => each.id === was) ? was : "";
}

function arrange(parent, children) {
  // What is in its place is not touched, so that it keeps the focus.
  children.forEach((child, index) => {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
  while (parent.children.length > children.length) parent.lastElementChild.remove();
}

function showStyles() {
  const added = [...records.values()].filter((each) => each.kind === "style").map((each) => each.id);
  arrange($("styles"), [$("styles").firstElementChild, ...[...added, ...server.own].map(tileOf)]);
  arrange($("learned"), server.learned.map(tileOf));
}

function tileOf(style) {
  const tile = document.querySelector(`[data-style="${style}"]`) ?? newTile(style), image = tile.querySelector("img");
  tile.setAttribute("aria-pressed", chosen.styles.some((each) => each.id === style));
  const source = chosen.photo ? `/pictures/${chosen.photo}/${style}/thumbnail.jpg` : styleImage(style);
  if (image.getAttribute("src") !== source) {
    if (!image.classList.contains("waiting")) waiting += 1;
    image.classList.add("waiting");
    image.src = source;
  }
  return tile;
}

function newTile(style) {
  const tile = document.createElement("button"), image = document.createElement("img"), name = document.createElement("span");
  Object.assign(tile, { type: "button", className: "tile" });
  tile.dataset.style = style;
  image.alt = "";
  image.onload = image.onerror = () => {
    if (!image.classList.contains("waiting")) return;
    image.classList.remove("waiting");
    waiting -= 1;
    if (!waiting) planSoon();
  };
  name.textContent = styleName(style);
  tile.append(image, name);
  tile.onclick = trying(() => chooseStyle(style));
  return tile;
}

function showChosen() {
  const total = chosen.styles.reduce((sum, each) => sum + each.share, 0);
  $("shares").replaceChildren(...chosen.styles.map((each) => {
    const item = document.createElement("li"), image = document.createElement("img"), label = document.createElement("label");
    const name = document.createElement("span"), share = document.createElement("output");
    Object.assign(image, { src: styleImage(each.id), alt: "" });
    name.textContent = styleName(each.id);
    label.append(name);
    if (chosen.styles.length > 1) {
      const range = Object.assign(document.createElement("input"), { type: "range", min: 0.05, max: 1, step: 0.05 });
      range.value = each.share;
      range.oninput = () => {
        each.share = Number(range.value);
        const sum = chosen.styles.reduce((all, style) => all + style.share, 0);
        [...$("shares").querySelectorAll("output")].forEach((output, index) => {
          output.value = `${Math.round((100 * chosen.styles[index].share) / sum)} %`;
        });
        keep();
        planSoon();
      };
      label.append(range);
      share.value = `${Math.round((100 * each.share) / total)} %`;
    }
    item.append(image, label, share);
    return item;
  }));
  $("mask-open").disabled = !chosen.photo || chosen.styles.length > 1;
  $("mask-state").textContent = maskOf() ? "the style goes where you painted" : "the style goes everywhere";
}

function showPainting() {
  const painting = viewed();
  $("painting").hidden = !painting;
  if (!painting) return;
  const { state, asked, step, total, curve, result, id } = painting;
  $("state").textContent = stateOf(painting);
  $("state").classList.toggle("wrong", Boolean(painting.error));
  if (total) Object.assign($("progress"), { max: total, value: step });
  else $("progress").removeAttribute("value");
  $("progress").hidden = !["painting", "paused", "stopped"].includes(state);
  const can = {
    pause: state === "queued" || (state === "painting" && !asked), resume: ["paused", "stopped", "failed"].includes(state),
    stop: (state === "painting" && !asked && total > 0) || (state === "paused" && step > 0), remove: state !== "painting",
  };
  for (const button of $("painting").querySelectorAll("[data-deed]")) button.hidden = !can[button.dataset.deed];
  for (const kind of ["png", "jpg"]) {
    $(kind).hidden = !result;
    $(kind).href = `/paintings/${id}/result.${kind}`;
  }
  $("command").textContent = painting.command;
  $("command-note").hidden = state !== "stopped";
  $("command-note").textContent = `It makes the whole picture; this one was stopped after ${step} of ${total} iterations.`;
  showCurve(curve, total);
}

function showCurve(curve, total) {
  $("curve").hidden = curve.length < 2;
  if (curve.length < 2) return;
  const logs = curve.map(([, loss]) => Math.log(Math.max(loss, 1e-12)));
  const low = Math.min(...logs), high = Math.max(...logs);
  const points = curve.map(([step], index) => `${((100 * step) / total).toFixed(2)},${(96 - (92 * (logs[index] - low)) / (high - low || 1)).toFixed(2)}`);
  document.querySelector("#curve polyline").setAttribute("points", points.join(" "));
  const [first, last] = [curve[0], curve.at(-1)].map(([, loss]) => Number(loss.toPrecision(3)));
  $("curve-text").textContent = `Loss, from ${first} to ${last}, logarithmic; it rises where the picture is enlarged`;
}

function showHistory() {
  $("history").hidden = !paintings.size;
  const old = new Map([...$("paintings").children].map((card) => [card.dataset.id, card]));
  const cards = [...paintings.values()].map((painting) => {
    let card = old.get(painting.id);
    if (!card) {
      card = document.createElement("button");
      Object.assign(card, { type: "button", className: "tile", onclick: () => view(painting.id) });
      card.dataset.id = painting.id;
      const image = Object.assign(document.createElement("img"), { alt: "", loading: "lazy" });
      card.append(image, document.createElement("span"));
    }
    const source = painting.preview ? previewOf(painting) : `/pictures/${painting.order.content}.jpg`;
    setImage(card.querySelector("img"), source);
    const about = document.createElement("small");
    const { state, step, total, size } = painting;
    const share = state !== "done" && total ? ` ${Math.floor((100 * step) / total)} %` : "";
    about.textContent = STATES[state] + share + (size ? ` · ${size.join(" × ")}` : "");
    card.querySelector("span").replaceChildren(names(painting.order.styles), about);
    card.setAttribute("aria-current", chosen.view.id === painting.id);
    return card;
  });
  arrange($("paintings"), cards);
}

function view(id) {
  hideMask();
  chosen.view = { kind: "painting", id };
  keep();
  show();
  $("viewer").scrollIntoView({ block: "nearest" });
}

// The mask: painted over the photograph, sent as a picture that is white there

const canvas = $("mask"), pen = canvas.getContext("2d", { willReadFrequently: true });
const INK = [240, 4, 127];
let drawn = ""; // id of the mask that the canvas shows

async function openMask() {
  chosen.view = { kind: "photo" };
  show();
  const record = records.get(chosen.photo), share = Math.min(1, 1024 / Math.max(record.width, record.height));
  const [width, height] = [record.width, record.height].map((side) => Math.round(side * share));
  if (!chosen.mask || drawn !== chosen.mask) {
    Object.assign(canvas, { width, height }); // which clears it
    if (chosen.mask) await drawMask(chosen.mask);
    drawn = chosen.mask;
  }
  canvas.hidden = $("masking").hidden = false;
  $("bar").hidden = true;
}

async function drawMask(id) {
  const image = Object.assign(new Image(), { src: `/pictures/${id}.jpg?large` });
  await image.decode();
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  const pixels = pen.getImageData(0, 0, canvas.width, canvas.height);
  for (let at = 0; at < pixels.data.length; at += 4) pixels.data.set([...INK, pixels.data[at]], at);
  pen.putImageData(pixels, 0, 0);
}

function hideMask() {
  canvas.hidden = $("masking").hidden = true;
}

function closeMask(id) {
  chosen.mask = drawn = id;
  hideMask();
  changed();
}

function draw(event) {
  if (!event.buttons) return;
  const box = canvas.getBoundingClientRect(), scale = canvas.width / box.width;
  const at = (one) => [(one.clientX - box.left) * scale, (one.clientY - box.top) * scale];
  pen.globalCompositeOperation = $("masking").elements.tool.value === "erase" ? "destination-out" : "source-over";
  Object.assign(pen, { strokeStyle: `rgb(${INK})`, lineCap: "round", lineWidth: (canvas.width * $("brush").value) / 100 });
  const [x, y] = at(event), from = event.type === "pointerdown" ? [x, y] : draw.last;
  pen.beginPath();
  pen.moveTo(...from);
  pen.lineTo(x, y);
  pen.stroke();
  draw.last = [x, y];
}

async function sendMask() {
  const inked = pen.getImageData(0, 0, canvas.width, canvas.height).data.some((value, index) => index % 4 === 3 && value > 16);
  if (!inked) return closeMask("");
  const made = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
  const brush = made.getContext("2d");
  brush.drawImage(canvas, 0, 0);
  brush.globalCompositeOperation = "source-in";
  brush.fillStyle = "#fff";
  brush.fillRect(0, 0, made.width, made.height);
  brush.globalCompositeOperation = "destination-over";
  brush.fillStyle = "#000";
  brush.fillRect(0, 0, made.width, made.height);
  const blob = await new Promise((resolve) => made.toBlob(resolve, "image/png"));
  closeMask((await upload(new File([blob], "mask.png"), "mask")).id);
}

// What people do

const takePhoto = trying(async (file) => {
  if (!file) return;
  busy("Reading the photograph …");
  choosePhoto((await upload(file, "photograph")).id);
});
const takeStyles = trying(async (files) => {
  busy("Reading the painting …");
  for (const file of files) chooseStyle((await upload(file, "style")).id);
});

$("photo-file").onchange = (event) => takePhoto(event.target.files[0]).then(() => { event.target.value = ""; });
$("style-file").onchange = (event) => takeStyles([...event.target.files]).then(() => { event.target.value = ""; });
$("change").onclick = () => $("photo-file").click();
$("mix").onchange = () => {
  chosen.mix = $("mix").checked;
  if (!chosen.mix) chosen.styles = chosen.styles.slice(0, 1);
  changed();
};
for (const [place, take] of [["viewer", ([file]) => takePhoto(file)], ["styles", takeStyles]]) {
  const area = $(place);
  area.ondragover = (event) => { event.preventDefault(); area.classList.add("over"); };
  area.ondragleave = () => area.classList.remove("over");
  area.ondrop = (event) => { event.preventDefault(); area.classList.remove("over"); take([...event.dataTransfer.files]); };
}
document.ondragover = document.ondrop = (event) => event.preventDefault(); // beside them, no file takes the page's place

function compareAt(value) {
  $("pictures").style.setProperty("--at", value);
  $("divider").classList.toggle("hidden", Number(value) === 0);
  $("at").value = value;
}
$("at").oninput = () => compareAt($("at").value);
$("pictures").onpointermove = $("pictures").onpointerdown = (event) => {
  if (!event.buttons || $("after").hidden || !canvas.hidden) return;
  const box = $("pictures").getBoundingClientRect();
  compareAt(Math.round((100 * (event.clientX - box.left)) / box.width));
  event.preventDefault();
};
$("pictures").ondragstart = (event) => event.preventDefault();
$("against").onchange = showViewer;

form.oninput = () => { readSettings(); keep(); planSoon(); };
async function paint(asked) {
  const painting = await ask("/api/paintings", { body: asked });
  paintings = new Map([[painting.id, painting], ...paintings]); // if it was told of already, it keeps to this
  view(painting.id);
}
form.onsubmit = trying(async (event) => {
  event.preventDefault();
  compareAt(0);
  await paint(order());
});
$("keep").onclick = trying(async () => {
  busy("Painting it in full size …");
  await paint({ instant: true, content: chosen.photo, styles: [{ id: chosen.view.style }] });
});
for (const button of document.querySelectorAll("[data-deed]")) {
  button.onclick = trying(async () => {
    const { id } = viewed(), { deed } = button.dataset;
    if (deed === "remove" && !confirm("Remove this painting?")) return;
    await ask(`/api/paintings/${id}/${deed}`, { body: {} });
  });
}
$("again").onclick = () => {
  const { content, styles, mask, settings } = viewed().order;
  const shares = styles.map(({ id, share = 1 }) => ({ id, share }));
  hideMask();
  Object.assign(chosen, { photo: content, styles: shares, mask: mask ?? "", mix: styles.length > 1 });
  $("mix").checked = chosen.mix;
  fillSettings(settings ?? {});
  changed();
};
$("copy").onclick = trying(async () => {
  getSelection().selectAllChildren($("command")); // where a page may not copy, people can
  await navigator.clipboard.writeText($("command").textContent);
  $("announce").textContent = "Copied";
});
$("mask-open").onclick = trying(openMask);
$("mask-clear").onclick = () => closeMask("");
$("masking").onsubmit = trying(async (event) => { event.preventDefault(); await sendMask(); });
canvas.onpointerdown = (event) => { canvas.setPointerCapture(event.pointerId); draw(event); };
canvas.onpointermove = draw;
document.onvisibilitychange = () => {
  if (!document.hidden) return listen();
  clearTimeout(retry);
  events.close(); // a browser has but six connections to one server, for all of its pages
};

// What the server tells

function announce(painting, before) {
  const quarter = (one) => (one?.total ? Math.floor((4 * one.step) / one.total) : -1);
  if (painting.state !== before?.state || quarter(painting) !== quarter(before)) $("announce").textContent = `${names(painting.order.styles)}: ${stateOf(painting)}`;
}

let events, late, retry; // late: what comes while the state is asked for, and may be newer than it

function listen() {
  clearTimeout(retry);
  events?.close();
  late = [];
  events = new EventSource("/api/events");
  events.onopen = async () => {
    try {
      await takeState();
      tell();
    } catch (error) {
      tell(error);
      listenLater();
    }
  };
  events.onmessage = ({ data }) => (late ? late.push(JSON.parse(data)) : hear(JSON.parse(data)));
  events.onerror = () => {
    tell("The studio does not answer; this page goes on by itself when it does.");
    late = [];
    if (events.readyState === EventSource.CLOSED) listenLater(); // it refused: too many pages are open
  };
}

function listenLater() {
  events.close();
  retry = setTimeout(listen, 5000);
}

async function takeState() {
  const told = await ask("/api/state");
  if (server && told.started !== server.started) return location.reload(); // its token is another one now
  const first = !server;
  server = told;
  records = new Map(told.pictures.map((each) => [each.id, each]));
  paintings = new Map(told.paintings.map((each) => [each.id, each]));
  if (first) recall();
  show();
  planSoon();
  late.forEach(hear);
  late = null;
}

function hear({ event, id, painting }) {
  if (event === "removed") {
    paintings.delete(id);
    if (chosen.view.id === id) chosen.view = { kind: "photo" };
    changed();
    return;
  }
  announce(painting, paintings.get(painting.id));
  paintings = paintings.has(painting.id) ? paintings.set(painting.id, painting) : new Map([[painting.id, painting], ...paintings]);
  if (chosen.view.id === painting.id) { showViewer(); showPainting(); }
  showHistory();
}

compareAt(0);
listen();
