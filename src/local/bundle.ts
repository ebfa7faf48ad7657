import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { StartError } from './start-error.ts';

/**
 * The Worker as one module, built as `wrangler deploy` builds it, with the local watch around it.
 * @param objectClasses its Durable Objects, whose queues are watched too
 */
export async function bundleWorker(
  entry: string,
  queueBindings: readonly string[],
  objectClasses: readonly string[],
): Promise<string> {
  const { build } = await import('esbuild');
  const watch = join(import.meta.dirname, 'in-worker/watch.ts');
  const main = [
    `import worker from ${JSON.stringify(entry)};`,
    `import { watch, watchObject } from ${JSON.stringify(watch)};`,
    `export * from ${JSON.stringify(entry)};`,
    `export { LocalControl } from ${JSON.stringify(watch)};`,
    // What is exported by its name comes before what is exported with all the rest.
    ...objectClasses.flatMap((name) => [
      `import { ${name} as Watched${name} } from ${JSON.stringify(entry)};`,
      `export const ${name} = watchObject(Watched${name});`,
    ]),
    `export default watch(worker, ${JSON.stringify(queueBindings)});`,
  ].join('\n');
  try {
    const { outputFiles } = await build({
      stdin: { contents: main, resolveDir: import.meta.dirname, sourcefile: 'local-worker.js' },
      bundle: true,
      write: false,
      format: 'esm',
      target: 'es2024',
      platform: 'neutral',
      mainFields: ['module', 'main'],
      conditions: ['workerd', 'worker', 'browser'],
      external: ['node:*', 'cloudflare:*'],
      // For stack traces; without the sources themselves, which would be most of the isolate's memory.
      sourcemap: 'inline',
      sourcesContent: false,
      logLevel: 'silent',
      plugins: [
        {
          // `crypto` for `node:crypto`: workerd knows Node's modules by their full names only.
          name: 'node-modules-by-full-name',
          setup(builder) {
            const names = builtinModules.filter((name) => !name.startsWith('_')).join('|');
            builder.onResolve({ filter: new RegExp(`^(${names})$`) }, ({ path }) => ({
              path: `node:${path}`,
              external: true,
            }));
          },
        },
      ],
    });
    return outputFiles[0]?.text ?? '';
  } catch (error) {
    throw new StartError(
      `The Worker could not be built.\n${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
