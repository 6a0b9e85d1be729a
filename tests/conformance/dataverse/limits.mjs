// Callers without a right, throttling, broken gateways, lost answers; and the loud 501 for what is not modelled.

import { check, equal, matches, refused } from "./check.mjs";
import { act, answer, answers, status } from "./wire.mjs";

const collection = "accounts";

export async function limits({ api, org, root, connect }) {
  const read = (client = api) => client.retrieveMultiple({ collection, select: ["name"], top: 1 });
  const fault = (body) => act(org, "faults", body);

  await check("no token, an unknown one: 401 with a challenge", async () => {
    for (const token of ["nonsense", "a.b.c"]) {
      const error = await refused(read(connect({ onTokenRefresh: async () => token })), 401);
      matches(error.headers["www-authenticate"], /^Bearer authorization_uri=.+, resource_id=/);
    }
    const reply = await fetch(`${root}/WhoAmI`, { headers: { accept: "application/json" } });
    equal(reply.status, 401);
  });

  await check("a privilege that is missing: 403", async () => {
    await act(org, "deny", { table: "account", right: "create" });
    const error = await refused(api.create({ collection, data: { name: "x" } }), 403, "0x80040220");
    equal(error.message, "The user does not hold the necessary privileges.");
    await read();
    await act(org, "deny", { table: "account", right: "read" });
    await refused(read(), 403, "0x80040220");
    await act(org, "allow-all");
  });

  await check("a customer's plug-in refuses the save in its own words", async () => {
    await act(org, "rule", {
      table: "accounts",
      column: "telephone1",
      message: "Discount above 20 % needs approval.",
    });
    const error = await refused(api.create({ collection, data: { telephone1: "1" } }), 400, "0x80040265");
    equal(error.message, "Discount above 20 % needs approval.");
    await api.create({ collection, data: { name: "untouched" } });
    await act(org, "clear-rules");
  });

  await check("service protection: 429, its code and Retry-After, then as before", async () => {
    await act(org, "switches", { burst_limit: 1 });
    const error = await refused(read(), 429, "0x80072322");
    matches(error.headers["retry-after"], /^\d+$/);
    matches(error.message, /^Number of requests exceeded the limit of 1 over time window of 300 seconds\.$/);
    equal(error.headers["x-ms-ratelimit-burst-remaining-xrm-requests"], "0");
    await act(org, "switches", { burst_limit: 6000 });
    await read();
  });

  await check("scripted: throttled by execution time, the next call goes through", async () => {
    const body = JSON.stringify({
      error: { code: "0x80072321", message: "Combined execution time of incoming requests exceeded limit." },
    });
    const headers = { "Retry-After": "7", "Content-Type": "application/json" };
    await fault({ route: "GET accounts", kind: "answer", status: 429, headers, body });
    const error = await refused(read(), 429, "0x80072321");
    equal(error.headers["retry-after"], "7");
    await read();
  });

  await check("scripted: a gateway's HTML page stays a 503", async () => {
    const body = "<html><body>The service is unavailable.</body></html>";
    await fault({
      route: "GET accounts",
      kind: "answer",
      status: 503,
      headers: { "Content-Type": "text/html" },
      body,
    });
    await refused(read(), 503);
    await read();
  });

  await check("scripted: an answer lost after the commit; the repeated upsert changes nothing", async () => {
    const call = { collection, key: "cosell_customerkey='lost-1'", data: { name: "Lost" } };
    await fault({ route: "PATCH accounts/{key}", kind: "drop_after" });
    await refused(api.upsert(call), "socket hang up");
    await api.upsert(call);
    status(204);
    equal(await api.count({ collection, filter: "cosell_customerkey eq 'lost-1'" }), 1);
  });

  await check("a plug-in that runs later: the etag of our own write is already old", async () => {
    const row = await api.create({ collection, data: { name: "Bumped" }, returnRepresentation: true });
    await act(org, "switches", { plugin_bump: true });
    const call = { collection, key: row.accountid, select: ["name"] };
    const saved = await api.update({ ...call, data: { name: "Bumped 2" }, returnRepresentation: true });
    await act(org, "switches", { plugin_bump: false });
    const now = await api.retrieve(call);
    equal(now["@odata.etag"] === saved["@odata.etag"], false);
    await refused(
      api.update({ ...call, ifmatch: saved["@odata.etag"], data: { name: "z" } }),
      412,
      "0x80060882",
    );
  });

  const unknown = {
    FetchXML: () => api.fetch({ collection, fetchXml: "<fetch><entity name='account'/></fetch>" }),
    aggregation: () => api.retrieveMultiple({ collection, apply: "aggregate($count as n)" }),
    "a single property by PUT": async () =>
      api.updateSingleProperty({
        collection,
        key: await api.create({ collection, data: {} }),
        fieldValuePair: { name: "x" },
      }),
    impersonation: () => read(connect({ impersonate: "2e7b9fa1-4d66-ef11-a316-000d3a5b7c22" })),
    "bypassed plug-ins": () =>
      api.create({ collection, data: { name: "x" }, bypassCustomPluginExecution: true }),
    "duplicate rules": () => api.create({ collection, data: { name: "x" }, duplicateDetection: true }),
    "a bind to a team": () =>
      api.create({
        collection,
        data: { name: "x", "ownerid@odata.bind": "/teams(2e7b9fa1-4d66-ef11-a316-000d3a5b7c22)" },
      }),
    "deep insert": () =>
      api.create({ collection: "opportunities", data: { name: "x", customerid_account: { name: "y" } } }),
    "bulk upsert": () =>
      api.callAction({
        collection,
        actionName: "Microsoft.Dynamics.CRM.UpsertMultiple",
        action: { Targets: [] },
      }),
    "a function in a filter": () =>
      api.retrieveMultiple({
        collection,
        filter: "Microsoft.Dynamics.CRM.LastXDays(PropertyName='createdon',PropertyValue=7)",
      }),
    "the list of all tables": () => api.retrieveEntities({ select: ["LogicalName"] }),
    "`$metadata`": () => api.retrieveCsdlMetadata(),
    "background operations": () =>
      api.callAction({ actionName: "WinOpportunity", action: {}, respondAsync: true }),
  };
  for (const [name, call] of Object.entries(unknown)) {
    await check(`not modelled, hence 501: ${name}`, () => refused(call(), 501));
  }

  await check("every answer carries the service protection headers and the protocol version", () => {
    const real = answers().filter(
      (one) =>
        ![401, 501].includes(one.status) &&
        one.headers["x-ms-ratelimit-burst-remaining-xrm-requests"] === undefined,
    );
    equal(real.map((one) => one.status).sort(), [429, 503], "only the scripted answers lack them");
    const versions = answers().filter((one) => one.status < 300 || one.status === 304);
    equal([...new Set(versions.map((one) => one.headers["odata-version"]))], ["4.0"]);
    matches(answer().headers["x-ms-ratelimit-time-remaining-xrm-requests"] ?? "1", /^[\d,.]+$/);
  });
}
