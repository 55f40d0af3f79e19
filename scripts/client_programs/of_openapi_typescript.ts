// Asks a running service with the types that openapi-typescript generated. Its one argument is the address.

import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

function check(held: boolean, what: unknown): asserts held {
  if (!held) throw new Error(JSON.stringify(what));
}

const client = createClient<paths>({ baseUrl: process.argv[2] });

const index = await client.GET("/index", { params: { query: { year: 2013 } } });
check(index.data?.base_year === 2013, index.error);

const latest = await client.GET("/v1/health-index/latest");
check((latest.data?.figures[0]?.base_year ?? 0) >= 2013, latest.error);

const asked: components["schemas"]["IndexationCases"] = {
  items: ["500", 500].map((amount) => ({ amount, from: "2010-06", to: "2019-08" })),
};
const outcomes = await client.POST("/v1/indexations", { body: asked });
check(outcomes.data?.items.every((item) => item.result?.indexed === 584.18) ?? false, outcomes);

const zipcode = await client.GET("/v1/zipcodes/{zipcode}", { params: { path: { zipcode: 9000 } } });
check(zipcode.data?.zipcode === 9000, zipcode.error);

const refused = await client.GET("/v1/zipcodes/{zipcode}", { params: { path: { zipcode: 1000 }, query: { as_of: "yesterday" } } });
check(refused.error?.issues?.[0]?.name === "as_of", refused);
