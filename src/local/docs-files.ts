import { copyFile, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Of swagger-ui-dist what the page /docs loads, and the licences of what is in it. */
const FILES = ['swagger-ui.css', 'swagger-ui-bundle.js', 'swagger-ui-bundle.js.LICENSE.txt'];
const DOCS = join(import.meta.dirname, '../../assets/docs');

/** Puts them beside the page's own files. A stack that starts at the same time may be reading them. */
export async function copyDocsFiles(): Promise<void> {
  const from = dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/swagger-ui.css')));
  for (const name of FILES) {
    const [source, copy] = [join(from, name), join(DOCS, name)];
    if ((await sizeOf(copy)) === (await sizeOf(source))) continue;
    const part = `${copy}.${process.pid}`;
    await copyFile(source, part);
    await rename(part, copy);
  }
}

async function sizeOf(file: string): Promise<number | undefined> {
  return (await stat(file).catch(() => undefined))?.size;
}

// As wrangler's build: `wrangler deploy` uploads what lies there.
if (import.meta.main) await copyDocsFiles();
