// What is shown: filters and place, held in the address, so that it can be sent to somebody.

export const FIELDS = ["sender", "topic", "tier", "chain", "tag", "key", "id"];
const SINGLE = ["grep", "ignore_case", "since", "until", "from", "to"];

const state = { filters: new URLSearchParams(), at: null };
const listeners = new Set();

const read = () => {
  const given = new URLSearchParams(location.hash.slice(1));
  const filters = new URLSearchParams();
  for (const [name, value] of given) {
    if (FIELDS.includes(name) || SINGLE.includes(name)) filters.append(name, value);
  }
  const at = Number.parseInt(given.get("at") ?? "", 10);
  state.filters = filters;
  state.at = Number.isNaN(at) ? null : at;
};

const hash = () => {
  const all = new URLSearchParams(state.filters);
  if (state.at !== null) all.set("at", String(state.at));
  const text = all.toString();
  return text ? `#${text}` : location.pathname;
};

const tell = () => listeners.forEach((listener) => listener());

export const filters = () => new URLSearchParams(state.filters);
export const place = () => state.at;
export const has = (name, value) => state.filters.getAll(name).includes(value);
export const value = (name) => state.filters.get(name) ?? "";
export const onChange = (listener) => listeners.add(listener);

// Where one has scrolled to is no step to go back to.
export const setPlace = (at) => {
  if (state.at === at) return;
  state.at = at;
  history.replaceState(null, "", hash());
};

const change = () => {
  history.pushState(null, "", hash());
  tell();
};

export const set = (values) => {
  for (const [name, value] of Object.entries(values)) {
    if (value) state.filters.set(name, value);
    else state.filters.delete(name);
  }
  change();
};

// A value that begins with an exclamation mark would be taken for its opposite.
const literal = (value) => (/^\\*!/.test(value) ? `\\${value}` : value);

export const toggle = (name, value, isNot) => {
  const wanted = isNot ? `!${value}` : literal(value);
  const others = state.filters.getAll(name).filter((known) => known !== wanted);
  const isThere = others.length < state.filters.getAll(name).length;
  state.filters.delete(name);
  for (const other of others) state.filters.append(name, other);
  if (!isThere) state.filters.append(name, wanted);
  change();
};

export const remove = (name, value) => {
  const others = state.filters.getAll(name).filter((known) => known !== value);
  state.filters.delete(name);
  for (const other of others) state.filters.append(name, other);
  change();
};

export const clear = () => {
  state.filters = new URLSearchParams();
  change();
};

addEventListener("popstate", () => {
  read();
  tell();
});
read();
