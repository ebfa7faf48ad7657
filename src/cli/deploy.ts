import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Ours, not Cloudflare's (3 MB on the free plan): a bundle that grows past it took in something it should not. */
const LIMIT_KIB = 1024;

/**
 * `npm run deploy [-- --dry-run …]`: bundles, measures what would be uploaded, and deploys to the user's own
 * account unless told not to. Arguments go on to `wrangler deploy`, e.g. `--env production`; without one of
 * wrangler.toml's environments its top level is meant. Offline with `--dry-run`.
 */
function deploy(given: string[]): number {
  const named = given.some((arg) => /^(-e|--env)\b/.test(arg)) || process.env.CLOUDFLARE_ENV;
  const args = named ? given : [...given, '--env='];
  const folder = mkdtempSync(join(tmpdir(), 'fluxcompute-bundle-'));
  try {
    const bundled = wrangler([
      'deploy',
      '--dry-run',
      '--outdir',
      folder,
      ...args.filter((arg) => arg !== '--dry-run'),
    ]);
    if (bundled !== 0) return bundled;
    const files = readdirSync(folder).filter((name) => name.endsWith('.js') || name.endsWith('.wasm'));
    const bytes = files.reduce(
      (sum, name) => sum + gzipSync(readFileSync(join(folder, name)), { level: 9 }).length,
      0,
    );
    const kib = Math.ceil(bytes / 1024);
    console.log(`bundle: ${kib} KiB gzip (limit ${LIMIT_KIB} KiB)`);
    if (kib > LIMIT_KIB) {
      console.error(
        'The bundle is over the limit: see what came in with `npx wrangler deploy --dry-run --metafile`.',
      );
      return 1;
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return args.includes('--dry-run') ? 0 : wrangler(['deploy', ...args]);
}

function wrangler(args: string[]): number {
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false' };
  const { status, error } = spawnSync('wrangler', args, { stdio: 'inherit', env });
  if (error) console.error('wrangler could not be started: run `npm ci`, then `npm run deploy`.');
  return status ?? 1;
}

process.exitCode = deploy(process.argv.slice(2));
