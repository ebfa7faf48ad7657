CREATE TABLE "customer_experience" (
	"customer" text PRIMARY KEY NOT NULL,
	"counts" double precision[] NOT NULL,
	"folded_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "ended_lanes" (
	"customer" text NOT NULL,
	"lane" text NOT NULL,
	"ended_at" timestamp with time zone NOT NULL,
	"counts" double precision[] NOT NULL,
	"told_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "ended_lanes_customer_lane_pk" PRIMARY KEY("customer","lane")
);
--> statement-breakpoint
CREATE INDEX "ended_lanes_customer_ended_at" ON "ended_lanes" USING btree ("customer","ended_at");--> statement-breakpoint
CREATE INDEX "ended_lanes_told_at" ON "ended_lanes" USING btree ("told_at");