ALTER TABLE "customer_limits" ADD COLUMN "usd_per_day" numeric(20, 12);--> statement-breakpoint
ALTER TABLE "customer_limits" ADD COLUMN "usd_per_month" numeric(20, 12);--> statement-breakpoint
ALTER TABLE "customer_limits" ADD COLUMN "over_budget" text;