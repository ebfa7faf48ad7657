/**
 * Days that steps are kept for a customer that has set no `retention_days`. Metrics go back 366 days at most, and a
 * month is only dropped whole.
 */
export const DEFAULT_RETENTION_DAYS = 400;
