import type { LocalStack } from './stack.ts';

/** The closing lines: what answers where, the key, what calls cost, and a line to paste. */
export function welcome(
  stack: LocalStack,
  pages: readonly string[],
  warnings: readonly string[] = [],
): string {
  const rows: [string, string][] = [
    ['gateway', `${stack.url}/v1`],
    ['health', `${stack.url}/health`],
    ...pages.map((path): [string, string] => [path.slice(1), stack.url + path]),
    ['key', stack.key],
    [
      '',
      stack.keyMade
        ? `made for this machine: customer default, scopes infer+read+admin`
        : 'one of FLUX_API_KEYS',
    ],
    ...providerRows(stack),
    ['data', stack.folder],
  ];
  return [
    '',
    'FluxCompute is running.',
    '',
    ...rows.map(([name, text]) => `  ${name.padEnd(11)}${text}`),
    ...warnings.map((warning) => `\n  WARNING: ${warning}`),
    '',
    'Try it:',
    '',
    `  ${curlLine(stack.url, stack.key)}`,
    '',
    'Ctrl-C stops everything and loses nothing.',
  ].join('\n');
}

function providerRows({ mode, providers, simulatorUrl }: LocalStack): [string, string][] {
  if (mode === 'simulated') {
    return [
      ['providers', `SIMULATED at ${simulatorUrl}: answers are made up on this machine and cost nothing.`],
      ['', 'Set ANTHROPIC_API_KEY or OPENAI_API_KEY for real ones.'],
    ];
  }
  const places = providers.map(({ id, url }): [string, string] => ['', `${id}: ${url}`]);
  return mode === 'live'
    ? [['providers', 'LIVE: CALLS GO TO REAL PROVIDERS AND COST MONEY.'], ...places]
    : [['providers', 'your own servers on this machine; nothing is simulated:'], ...places];
}

/** One line that works as pasted into a shell. */
export function curlLine(url: string, key: string): string {
  const body = JSON.stringify({
    model: 'auto',
    messages: [{ role: 'user', content: 'What is the capital of France?' }],
  });
  return [
    `curl ${url}/v1/chat/completions`,
    `-H ${shellQuote(`authorization: Bearer ${key}`)}`,
    `-H 'content-type: application/json'`,
    `-d ${shellQuote(body)}`,
  ].join(' ');
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
