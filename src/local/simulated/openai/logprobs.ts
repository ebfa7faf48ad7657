import { words } from '../wire.ts';

/** Every word a certainty, with as many alternatives as asked for: enough for a client that only reads the shape. */
export function logprobsOf(text: string, alternatives: number): object[] {
  const probability = (token: string, logprob: number) => ({
    token,
    logprob,
    bytes: [...Buffer.from(token)],
  });
  return words(text).map((token) => ({
    ...probability(token, 0),
    top_logprobs: Array.from({ length: alternatives }, (_, rank) =>
      probability(rank === 0 ? token : `${token}${rank}`, rank === 0 ? 0 : -20 - rank),
    ),
  }));
}
