// Questions to the server, at addresses beside the page's own.

export class Refused extends Error {}

export const address = (path, params) => {
  const query = params ? params.toString() : "";
  return `api/${path}${query ? `?${query}` : ""}`;
};

export const ask = async (path, params, options = {}) => {
  const response = await fetch(address(path, params), options);
  const answer = await response.json().catch(() => ({ error: response.statusText }));
  if (!response.ok) throw new Refused(answer.error || response.statusText);
  return answer;
};
