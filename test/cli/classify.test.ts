import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { PRIOR } from '../../src/core/difficulty/prior.ts';

const FLUX = fileURLToPath(new URL('../../src/cli/flux.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'flux-classify-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Run {
  code: number | null;
  out: string;
  err: string;
  lines: Record<string, unknown>[];
}

function flux(args: string[], input = ''): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [FLUX, ...args]);
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      err += text;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      const lines = code === 2 ? [] : out.split('\n').filter((line) => line.startsWith('{'));
      resolve({ code, out, err, lines: lines.map((line) => JSON.parse(line)) });
    });
    child.stdin.on('error', () => {}); // it may exit before it has read all
    child.stdin.end(input);
  });
}

function jsonl(...rows: unknown[]): string {
  return rows.map((row) => `${typeof row === 'string' ? row : JSON.stringify(row)}\n`).join('');
}

describe('flux classify', () => {
  it('answers each line in order with score, label and the seven signals', async () => {
    const { code, lines } = await flux(
      ['classify', '--jsonl'],
      jsonl(
        { id: 'a', prompt: 'What is the capital of France?' },
        { id: 7, prompt: 'Banana bread' },
        {
          id: 'c',
          messages: [
            { role: 'system', content: 'Prove everything.' },
            { role: 'user', content: [{ type: 'text', text: 'What time is it in Madrid?' }] },
            {
              role: 'assistant',
              content: null,
              tool_calls: [{ id: 't', type: 'function', function: { name: 'clock', arguments: '{}' } }],
            },
            { role: 'tool', tool_call_id: 't', content: '12:00' },
          ],
        },
      ),
    );
    expect(code).toBe(0);
    expect(lines.map(({ id, label, unknown }) => [id, label, unknown])).toEqual([
      ['a', 'easy', undefined],
      [7, 'medium', true],
      ['c', 'easy', undefined],
    ]);
    expect(Object.keys(lines[0] ?? {})).toEqual(['id', 'score', 'label', 'signals']);
    expect(Object.keys(lines[0]?.signals ?? {})).toEqual([
      'length',
      'reasoning',
      'math',
      'code',
      'lookup',
      'constraints',
      'loop',
    ]);
  });

  it('names bad lines, goes on, and exits 1', async () => {
    const orphan = {
      id: 'x',
      messages: [
        { role: 'user', content: 'hi' },
        { role: 'tool', tool_call_id: 'no', content: '' },
      ],
    };
    const { code, lines } = await flux(
      ['classify', '--jsonl'],
      jsonl(
        { id: 1, prompt: 'hello' },
        '{"id": 2, "prompt"',
        '[1]',
        { id: 3 },
        { id: 4, prompt: 5 },
        orphan,
        '',
        { id: 5, prompt: 'thanks' },
      ),
    );
    expect(code).toBe(1);
    expect(lines.map((line) => line.line ?? line.id)).toEqual([1, 2, 3, 4, 5, 6, 5]);
    expect(lines[1]).toEqual({ line: 2, error: 'not JSON' });
    expect(lines[2]?.error).toContain('"messages"');
    expect(lines[5]?.error).toContain('messages[1]');
  });

  it('scores with the profile it is given', async () => {
    const path = join(folder, 'p.json');
    writeFileSync(path, JSON.stringify({ ...PRIOR, thresholds: { easy: 0, hard: 0.001 } }));
    const { code, lines } = await flux(
      ['classify', '--jsonl', '--profile', path],
      jsonl({ id: 1, prompt: 'What is the capital of France?' }),
    );
    expect([code, lines[0]?.label]).toEqual([0, 'hard']);
  });

  it('keeps order over more lines than a pipe holds', async () => {
    const count = 3_000;
    const { code, lines } = await flux(
      ['classify', '--jsonl'],
      jsonl(...Array.from({ length: count }, (_, id) => ({ id, prompt: `What is ${id} plus one?` }))),
    );
    expect(code).toBe(0);
    expect(lines.map(({ id }) => id)).toEqual(Array.from({ length: count }, (_, id) => id));
  });

  it.each([
    ['no --jsonl', ['classify']],
    ['an unknown option', ['classify', '--jsonl', '--fast']],
    ['an argument too many', ['classify', '--jsonl', 'in.jsonl']],
    ['a profile that is not there', ['classify', '--jsonl', '--profile', 'nowhere.json']],
    ['no command', []],
    ['an unknown command', ['guess']],
  ])('exits 2 on %s and says what to do', async (_, args) => {
    const { code, out, err } = await flux(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/Usage|--help/);
  });

  it('exits 2 on a profile that is none, and names the field', async () => {
    const path = join(folder, 'wrong.json');
    writeFileSync(path, JSON.stringify({ ...PRIOR, limit: -1 }));
    const { code, err } = await flux(['classify', '--jsonl', '--profile', path]);
    expect(code).toBe(2);
    expect(err).toContain('limit');
  });

  it('helps', async () => {
    const [all, one] = await Promise.all([flux(['--help']), flux(['classify', '--help'])]);
    expect([all.code, one.code]).toEqual([0, 0]);
    expect(all.out).toContain('classify');
    expect(one.out).toContain('--profile');
  });
});
