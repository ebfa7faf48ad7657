import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LocalStack } from '../../src/local/stack.ts';
import { startPrepared } from '../prepared.ts';
import { START_LIMIT, temporaryFolder } from './gateway.ts';

/** The page /docs as a browser loads it from `npm start`. */
const folder = temporaryFolder();
let stack: LocalStack;

beforeAll(async () => {
  stack = await startPrepared({ variables: { PORT: '0', FLUX_DATA_DIR: folder.path } });
}, START_LIMIT);
afterAll(async () => {
  await stack?.stop();
  folder.remove();
});

const load = async (path: string) => {
  const response = await fetch(stack.url + path);
  const type = response.headers.get('content-type')?.split(';')[0];
  return { status: response.status, type, headers: response.headers, text: await response.text() };
};

test('the page and all it loads are there, of this gateway, in the right types', async () => {
  const page = await load('/docs');
  expect([page.status, page.type]).toEqual([200, 'text/html']);
  const named = [...page.text.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, url]) => url ?? '');
  const files = named.filter((url) => url !== 'data:,');
  expect(files).toEqual(['/docs/swagger-ui.css', '/docs/swagger-ui-bundle.js', '/docs/init.js']);
  for (const file of files) {
    const { status, type, text } = await load(file);
    expect([file, status, type]).toEqual([file, 200, file.endsWith('.css') ? 'text/css' : 'text/javascript']);
    expect(text.length).toBeGreaterThan(100);
  }
  expect((await load('/openapi.json')).text).toContain('"openapi":"3.1');
});

test('no other host is asked for anything: neither our own files nor the policy name one', async () => {
  for (const path of ['/docs', '/docs/init.js', '/docs/swagger-ui-bundle.js', '/docs/swagger-ui.css']) {
    const { headers } = await load(path);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toMatch(/script-src 'self';.*connect-src 'self';/);
    expect(policy).not.toMatch(/https?:|\*|unsafe/);
  }
  for (const name of ['index.html', 'init.js']) {
    const text = readFileSync(join(import.meta.dirname, '../../assets/docs', name), 'utf8');
    expect(text).not.toMatch(/(https?:)?\/\/[a-z0-9-]+\./i);
  }
  const init = await load('/docs/init.js');
  expect(init.text).toContain("url: '/openapi.json'");
  expect(init.text).toContain('validatorUrl: null');
});

test('files beside the page are not to be had', async () => {
  for (const path of ['/docs/index.html', '/docs/..%2Fdocs%2Finit.js', '/docs/%2e%2e/init.js', '/docs/']) {
    expect((await load(path)).status, path).toBe(404);
  }
});
