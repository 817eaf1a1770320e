// The live page. Texts come from articles, so from anybody: they enter the page as text, never as HTML.
"use strict";

const MOST_QUOTES = 200;
const ANNOUNCE_MILLISECONDS = 10000;
const KNOWN = ["sceptical", "conciliatory", "threatening", "none"];
const COUNTERS = {
  articles: "articles",
  dead_letters: "dead letters",
  in_flight_articles: "in work",
  consumer_lag: "lag",
};

const byId = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en");
const buttons = new Map(); // stance: its button
const hidden = new Set(); // stances that are not shown
const others = []; // stances of a label set of the user's own, in the order of their appearance
let waiting = []; // quotes that came during a pause
let paused = false;
let unannounced = 0;

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

function colour(node, stance) {
  node.dataset.stance = stance;
  if (KNOWN.includes(stance)) return;
  if (!others.includes(stance)) others.push(stance);
  node.dataset.other = others.indexOf(stance) % 3;
}

function quoteItem(quote) {
  const item = element("li", "new");
  colour(item, quote.stance);
  item.append(element("blockquote", "", "“" + quote.text + "”"), saidBy(quote), foundIn(quote));
  item.hidden = hidden.has(quote.stance);
  return item;
}

function saidBy(quote) {
  const line = element("p");
  line.append(element("span", "stance", quote.stance));
  if (quote.score !== null) line.append(element("span", "faint", " " + quote.score.toFixed(2)));
  line.append(" · ", quote.speaker ? element("span", "speaker", quote.speaker) : element("span", "faint", "speaker unknown"));
  if (quote.role) line.append(element("span", "faint", ", " + quote.role));
  return line;
}

function foundIn(quote) {
  const line = element("p", "where faint");
  const time = element("time", "", new Date(quote.at).toLocaleTimeString());
  time.dateTime = quote.at;
  line.append(time);
  const title = quote.title || quote.url;
  if (title) {
    const name = element(quote.url ? "a" : "span", "", title);
    if (quote.url) Object.assign(name, { href: quote.url, target: "_blank", rel: "noopener noreferrer" });
    line.append(" · ", name);
  }
  if (quote.source) line.append(" · " + quote.source);
  return line;
}

function show(quotes) {
  const list = byId("quotes");
  list.prepend(...quotes.map(quoteItem).reverse());
  while (list.childElementCount > MOST_QUOTES) list.lastElementChild.remove();
  byId("empty").hidden = true;
  unannounced += quotes.length;
}

function receive(quotes) {
  if (!paused) return show(quotes);
  waiting = waiting.concat(quotes).slice(-MOST_QUOTES);
  byId("pause").textContent = "Resume (" + waiting.length + " waiting)";
}

function togglePause() {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", paused);
  byId("pause").textContent = paused ? "Resume" : "Pause";
  if (!paused) {
    show(waiting);
    waiting = [];
  }
}

function stanceButton(stance) {
  const button = element("button");
  button.type = "button";
  button.setAttribute("aria-pressed", "true");
  colour(button, stance);
  button.append(element("span", "count"), element("span", "name", stance));
  button.addEventListener("click", () => toggleStance(stance, button));
  buttons.set(stance, button);
  byId("stances").append(button);
  return button;
}

function toggleStance(stance, button) {
  const hide = !hidden.has(stance);
  hide ? hidden.add(stance) : hidden.delete(stance);
  button.setAttribute("aria-pressed", !hide);
  for (const item of byId("quotes").children) {
    if (item.dataset.stance === stance) item.hidden = hide;
  }
}

function count(counts) {
  for (const [stance, quotes] of Object.entries(counts.quotes)) {
    const button = buttons.get(stance) || stanceButton(stance);
    button.firstChild.textContent = number.format(quotes);
  }
  const rows = Object.entries(COUNTERS).map(([key, name]) => {
    const row = element("div");
    row.append(element("dt", "", name), element("dd", "", number.format(counts[key])));
    return row;
  });
  byId("counters").replaceChildren(...rows);
}

// A screen reader is told now and then how many there are: each quote of a torrent would drown it.
function announce() {
  if (unannounced) byId("news").textContent = unannounced + (unannounced === 1 ? " new quote" : " new quotes");
  unannounced = 0;
}

function connection(text, open) {
  if (byId("connection").textContent !== text) byId("connection").textContent = text;
  byId("connection").classList.toggle("open", open);
}

byId("pause").addEventListener("click", togglePause);
setInterval(announce, ANNOUNCE_MILLISECONDS);
const stream = new EventSource("live/events");
stream.addEventListener("quotes", (event) => receive(JSON.parse(event.data)));
stream.addEventListener("counts", (event) => count(JSON.parse(event.data)));
stream.addEventListener("open", () => connection("connected", true));
stream.addEventListener("error", () => {
  const ended = stream.readyState === EventSource.CLOSED;
  connection(ended ? "not connected: reload to try again" : "connection lost, trying again", false);
});
