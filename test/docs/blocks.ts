import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

/** A fenced block of a document. */
export interface Block {
  /** `docs/api.md:12` */
  place: string;
  language: string;
  /** The other words of the fence: `account` is a block that needs a real account. */
  marks: string[];
  code: string;
}

/** README and everything in docs, as paths from the root. */
export function documents(): string[] {
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' });
  return [
    'README.md',
    ...docs.filter((name) => name.endsWith('.md')).map((name) => join('docs', name)),
  ].sort();
}

export function readDocument(name: string): string {
  return readFileSync(join(ROOT, name), 'utf8');
}

/** All fenced blocks, also those that stand indented in a list. */
export function blocks(): Block[] {
  return documents().flatMap((name) => {
    const found: Block[] = [];
    const text = readDocument(name);
    for (const match of text.matchAll(/^( *)```([^\n]*)\n([\s\S]*?)^\1```$/gm)) {
      const [language = '', ...marks] = (match[2] ?? '').trim().split(/\s+/);
      const indent = match[1] ?? '';
      const line = text.slice(0, match.index).split('\n').length;
      found.push({
        place: `${relative('.', name)}:${line}`,
        language,
        marks,
        code: (match[3] ?? '').replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
      });
    }
    return found;
  });
}

/** The commands of a shell block, one a line: continued lines joined, comments and blank lines left out. */
export function commandsOf(code: string): string[] {
  const joined: string[] = [];
  let open = '';
  for (const line of code.replaceAll(/\\\n\s*/g, ' ').split('\n')) {
    const whole = open === '' ? line : `${open}\n${line}`;
    // A quote that is not closed goes on in the next line.
    const quotes = (whole.match(/'/g)?.length ?? 0) % 2;
    open = quotes === 1 ? whole : '';
    if (open === '') joined.push(whole.trim());
  }
  return joined.filter((line) => line !== '' && !line.startsWith('#'));
}
