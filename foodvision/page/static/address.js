// The page's own address, if others can open it.

const LOCAL = /^(localhost|.*\.(localhost|local|internal|intranet|lan|home|corp|private|home\.arpa|test|invalid))$/;
const PRIVATE_IPV4 = /^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./;
const PRIVATE_IPV6 = /^\[(::1?|f[cd].*|fe[89ab].*|::ffff:.*)\]$/;

/**
 * The address without query and fragment, which may contain a token. Empty if others can't open it: on this machine or a
 * private network, behind a token, or on a JupyterHub (`/user/...`), where each page belongs to one person.
 * @param {{ protocol: string, hostname: string, origin: string, pathname: string, search: string }} location
 */
export function publicAddress({ protocol, hostname, origin, pathname, search }) {
  const host = hostname.toLowerCase().replace(/\.$/, "");
  const named = host.includes(".") || host.startsWith("[");
  const isPrivate = !named || [LOCAL, PRIVATE_IPV4, PRIVATE_IPV6].some((pattern) => pattern.test(host));
  if (!/^https?:$/.test(protocol) || isPrivate) return "";
  if (new URLSearchParams(search).has("token") || /(^|\/)user\/[^/]+\//.test(pathname)) return "";
  return origin + pathname;
}
