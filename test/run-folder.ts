import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where {@link makeRunFolder} tells the test processes what it made. */
export const RUN_FOLDER = 'TEST_RUN_FOLDER';

/** A folder for what is made once a run and used by many test files (prepared.ts); gone when the run is over. */
export default function makeRunFolder(): () => void {
  const folder = process.env[RUN_FOLDER] ?? mkdtempSync(join(tmpdir(), 'flux-run-'));
  process.env[RUN_FOLDER] = folder;
  // Postgres, which is another user where tests run as root, copies from here.
  chmodSync(folder, 0o711);
  return () => rmSync(folder, { recursive: true, force: true });
}
