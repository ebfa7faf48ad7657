import { StoredObjects } from '../stored-objects.ts';
import { RequestFingerprints } from './diagnostics.ts';

/** What the simulated provider knows and decides beyond a request. */
export interface Account {
  /**
   * Whether an edited prefix before a thinking block is a 400 unasked, as for accounts created since 2026-08-31; an
   * older one enforces it only where a request sets `block_binding` (aDoc:preserved-thinking).
   */
  prefixCheck: boolean;
  objects: StoredObjects;
  fingerprints: RequestFingerprints;
}

/** An account as strict as there is, with nothing kept. */
export function newAccount(): Account {
  return { prefixCheck: true, objects: new StoredObjects(), fingerprints: new RequestFingerprints() };
}
