/**
 * Endpoints of OpenAI's API that keep nothing and hold no conversation: a request to one is sent on as it is
 * (contract.md, HTTP).
 */
export const STATELESS_ENDPOINTS = [
  { path: '/embeddings', takes: 'json' },
  { path: '/moderations', takes: 'json' },
  { path: '/images/generations', takes: 'json' },
  { path: '/audio/speech', takes: 'json' },
  { path: '/audio/transcriptions', takes: 'form' },
  { path: '/audio/translations', takes: 'form' },
  { path: '/completions', takes: 'json' },
] as const;

/** One of them: its path below `/v1`, and how its body is written. */
export type StatelessEndpoint = (typeof STATELESS_ENDPOINTS)[number];
