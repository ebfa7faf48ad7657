import type { Context } from 'hono';
import { FluxError, invalidRequest } from '../../core/errors.ts';
import { today } from '../../customers/compiled-settings.ts';
import { effectiveSettings } from '../../customers/effective-settings.ts';
import { toKept } from '../../customers/kept-settings.ts';
import {
  type CustomerSettings,
  customerSettings,
  mergePatch,
  SETTING_NAMES,
} from '../../customers/settings.ts';
import {
  addVersion,
  listVersions,
  readSettings,
  type SettingsVersion,
} from '../../customers/settings-history.ts';
import { settingsFor } from '../../customers/step-settings.ts';
import { actorOf, readFields, readObject, spread, withDatabase } from '../admin.ts';
import { customerOf } from '../auth.ts';
import type { AppEnv } from '../context.ts';
import { readLimit } from '../paging.ts';

/** Edits that say no version are made on the one in force; another's may come in between. */
const TRIES = 3;

/** GET /api/settings (`?version=3`): what is set, what is in force, what holds where nothing is set. */
export async function getSettings(c: Context<AppEnv>): Promise<Response> {
  const customer = customerOf(c.get('key'), c.req.query('customer'));
  const version = readVersion(c.req.query('version'), 'version');
  const found = await withDatabase(c, (database) => readSettings(database, customer, version));
  if (!found) {
    throw new FluxError('There is no such version: GET /api/settings/versions lists them.', {
      status: 404,
      code: 'unknown_version',
      param: 'version',
    });
  }
  return show(c, customer, found);
}

/** GET /api/settings/versions?limit=50&cursor=…: who set something and when, newest first. */
export async function listSettingsVersions(c: Context<AppEnv>): Promise<Response> {
  const customer = customerOf(c.get('key'), c.req.query('customer'));
  const limit = readLimit(c.req.query('limit'));
  const before = readVersion(c.req.query('cursor'), 'cursor') ?? null;
  const { data, next } = await withDatabase(c, (database) => listVersions(database, customer, limit, before));
  return c.json({
    data: data.map(({ sealed: _sealed, ...version }) => version),
    next_cursor: next === null ? null : String(next),
  });
}

/** PUT /api/settings: these settings and no others. */
export function putSettings(c: Context<AppEnv>): Promise<Response> {
  return change(c, (_before, written) => written);
}

/** PATCH /api/settings: a merge patch (RFC 7396): `null` takes a setting back. */
export function patchSettings(c: Context<AppEnv>): Promise<Response> {
  return change(c, mergePatch);
}

async function change(
  c: Context<AppEnv>,
  edit: (before: CustomerSettings, written: Record<string, unknown>) => unknown,
): Promise<Response> {
  const customer = customerOf(c.get('key'), c.req.query('customer'));
  const { version: stated, ...written } = await readObject(c);
  const expected = readExpected(c, stated);
  const added = await withDatabase(c, async (database) => {
    for (let tries = 0; tries < TRIES; tries++) {
      // A customer without settings has version 0.
      const before = (await readSettings(database, customer)) ?? { version: 0, settings: {}, sealed: {} };
      if (expected !== undefined && expected !== before.version) throw conflict(before.version);
      const settings = readFields(customerSettings, edit(before.settings, written), SETTING_NAMES);
      const after = await toKept(settings, before.sealed, customer, c.get('settings'));
      const version = await addVersion(database, customer, before.version, after, actorOf(c));
      if (version) return version;
    }
    throw conflict(null);
  });
  await spread(c, customer);
  return show(c, customer, added);
}

function show(
  c: Context<AppEnv>,
  customer: string,
  { version, settings, created_at, created_by }: SettingsVersion,
): Response {
  const deployment = c.get('settings');
  const { step } = settingsFor(deployment, settings, deployment.providers, today());
  return c.json(
    {
      ...{ customer, version, created_at, created_by, settings },
      effective: effectiveSettings(step, settings),
      defaults: effectiveSettings(deployment, {}),
    },
    200,
    { etag: `"${version}"` },
  );
}

/** The version an edit was made on: `If-Match: "3"`, or `version` in the body. @throws FluxError 400 */
function readExpected(c: Context<AppEnv>, stated: unknown): number | undefined {
  const header = c.req.header('if-match');
  if (header !== undefined && header !== '*') {
    return readVersion(header.replace(/^(?:W\/)?"(.*)"$/, '$1'), 'If-Match');
  }
  if (stated === undefined) return undefined;
  return readVersion(typeof stated === 'number' ? String(stated) : '', 'version');
}

function readVersion(text: string | undefined, param: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw invalidRequest(`${param} must be the number of a version.`, param);
  return Number(text);
}

function conflict(version: number | null): FluxError {
  const now = version === null ? 'Others are changing them' : `The version in force is ${version}`;
  return new FluxError(
    `These settings were changed since you read them. ${now}: read them again, and repeat the edit.`,
    { status: 409, code: 'version_conflict', param: 'version' },
  );
}
