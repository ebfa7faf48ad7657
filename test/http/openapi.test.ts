import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createApp } from '../../src/http/app.ts';
import { description, faultsOf, faultsOfBody, operations } from './description.ts';
import { gatewayOf } from './gateway.ts';

const ROOT = join(import.meta.dirname, '../..');
const bodies = [...operations].flatMap(([route, { requestBody, responses }]) => [
  ...(requestBody ? [[`${route} body`, requestBody.content] as const] : []),
  ...Object.entries(responses).map(([status, { content }]) => [`${route} ${status}`, content] as const),
]);

test('/openapi.json is the description, to anyone, as JSON', async () => {
  const response = await gatewayOf().request('/openapi.json', {}, null);
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
  expect(await response.json()).toEqual(description);
});

test('it has every route there is, and no other', () => {
  const routes = createApp()
    .routes.filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)(\{[^}]*\})?/g, '{$1}')}`);
  expect([...operations.keys()].sort()).toEqual([...new Set(routes)].sort());
});

describe('it is OpenAPI 3.1', () => {
  test('version, and servers of the same origin: what is tried out goes to this gateway', () => {
    expect(description.openapi).toMatch(/^3\.1\.\d$/);
    expect(description.servers.map(({ url }) => url)).toEqual(['/']);
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(description.info.version).toBe(version);
  });

  test('every reference leads somewhere, and every component is led to', () => {
    const told = JSON.stringify(description);
    const references = new Set(
      [...told.matchAll(/"\$ref":"#\/components\/(\w+\/[^"]+)"/g)].map(([, to]) => to),
    );
    expect(told.split('"$ref"')).toHaveLength(told.split('"$ref":"#/components/').length);
    const { schemas, headers } = description.components;
    const there = [
      ...Object.keys(schemas).map((name) => `schemas/${name}`),
      ...Object.keys(headers).map((name) => `headers/${name}`),
    ];
    expect([...references].sort()).toEqual(there.sort());
  });

  test.each([...operations])('%s: names, parameters and security are in order', (route, operation) => {
    const others = [...operations.values()].filter((other) => other !== operation);
    expect(others.map(({ operationId }) => operationId)).not.toContain(operation.operationId);
    expect(description.tags.map(({ name }) => name)).toEqual(expect.arrayContaining(operation.tags));
    const parameters = operation.parameters ?? [];
    expect(new Set(parameters.map((one) => `${one.in} ${one.name}`)).size).toBe(parameters.length);
    const inPath = parameters.filter((one) => one.in === 'path');
    expect(inPath.map(({ name }) => `{${name}}`)).toEqual(route.match(/\{\w+\}/g) ?? []);
    for (const { required } of inPath) expect(required).toBe(true);
    for (const scheme of operation.security.flatMap((one) => Object.keys(one))) {
      expect(Object.keys(description.components.securitySchemes)).toContain(scheme);
    }
    for (const { description: words } of Object.values(operation.responses)) expect(words).not.toBe('');
  });

  // The official schema, where a validator of it is at hand.
  const python =
    'import json,sys; from openapi_spec_validator import validate; validate(json.load(sys.stdin))';
  const there = spawnSync('python3', ['-c', 'import openapi_spec_validator']).status === 0;
  test.skipIf(!there)(
    'by the official schema',
    () => {
      const input = JSON.stringify(description);
      const { status, stderr } = spawnSync('python3', ['-c', python], { input, encoding: 'utf8' });
      expect(stderr).toBe('');
      expect(status).toBe(0);
    },
    60_000,
  );
});

describe('every example is what its schema says', () => {
  test.each(bodies)('%s', (_where, content) => {
    for (const [type, media] of Object.entries(content)) {
      for (const { value } of Object.values(media.examples ?? {})) {
        const text = typeof value === 'string' ? value : JSON.stringify(value);
        expect(faultsOfBody(text, type, media)).toEqual([]);
      }
    }
  });

  test('parameters and headers', () => {
    const parameters = [...operations.values()].flatMap((operation) => operation.parameters ?? []);
    const headers = Object.values(description.components.headers) as unknown as typeof parameters;
    for (const { schema, example } of [...parameters, ...headers]) {
      if (example !== undefined) expect(faultsOf(example, schema)).toEqual([]);
    }
  });

  test('a shape of ours takes no field that it does not name', () => {
    for (const [name, schema] of Object.entries(description.components.schemas)) {
      const wire =
        /^(ChatCompletion.*|Message.*|Response.*|ApiDescription|\w+Request|AudioForm|Embedding.*|Moderation.*|Image.*|Speech.*|Transcript.*|Completion.*)$/.test(
          name,
        );
      if (!wire) expect(schema.additionalProperties, name).toBe(false);
    }
  });
});
