/**
 * Betas that open objects stored at the provider, by their names without the date: customers may share its key
 * (contract.md, Objects stored at a provider). Names: `AnthropicBeta` of @anthropic-ai/sdk 1.12.0.
 */
const STORED_OBJECTS =
  /^(files-api|skills|message-threads|message-batches|managed-agents|agent-memory|mcp-tunnels|user-profiles)-/;
/** What a beta's name looks like; anything else could be anything. */
const BETA = /^[a-z0-9][a-z0-9.-]{0,79}$/;
/** Claude Code sends about ten. */
const MOST = 32;

/**
 * What of a client's headers an Anthropic model may see. The version is ours, since it has to fit the body (T68), and
 * nothing else is passed on (T39).
 * @param namesStored the request names a stored object, which only a key of the customer's own lets through
 */
export function ownHeaders(
  read: (name: string) => string | null,
  namesStored: boolean,
): Record<string, string> {
  const betas = (read('anthropic-beta') ?? '')
    .split(',')
    .map((beta) => beta.trim())
    .filter((beta) => BETA.test(beta) && (namesStored || !STORED_OBJECTS.test(beta)));
  const kept = [...new Set(betas)].slice(0, MOST);
  return kept.length > 0 ? { 'anthropic-beta': kept.join(',') } : {};
}
