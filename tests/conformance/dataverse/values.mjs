// Columns and lookups: what is stored, what is computed, what is refused.

import { randomUUID } from "node:crypto";
import { check, equal, matches, refused } from "./check.mjs";
import { status } from "./wire.mjs";

const collection = "opportunities";

export async function values({ api, root }) {
  const account = await api.create({
    collection: "accounts",
    data: { name: "Tailspin", cosell_customerkey: "tail-1" },
  });
  const deal = await api.create({ collection, data: { name: "Values" } });
  const set = (data) => api.update({ collection, key: deal, data });
  const get = (select) => api.retrieve({ collection, key: deal, select });

  await check("values come back in the documented formats", async () => {
    await set({
      estimatedvalue: 1234.5,
      estimatedclosedate: "2027-02-28",
      opportunityratingcode: 2,
      cosell_syncwithpartnercenter: true,
      description: "umlauts äöü, ☂ and\nlines",
    });
    const row = await get([
      "estimatedvalue",
      "estimatedclosedate",
      "opportunityratingcode",
      "description",
      "cosell_syncwithpartnercenter",
    ]);
    equal(row.estimatedvalue, 1234.5);
    equal(row.estimatedclosedate, "2027-02-28");
    equal([row.opportunityratingcode, row.cosell_syncwithpartnercenter], [2, true]);
    equal(row.description, "umlauts äöü, ☂ and\nlines");
    matches(row._transactioncurrencyid_value, /^[0-9a-f-]{36}$/, "money brings its currency");
  });

  await check("money: base amount and rate are computed and read-only", async () => {
    const euros = await api.retrieveMultiple({
      collection: "transactioncurrencies",
      select: ["transactioncurrencyid", "isocurrencycode", "currencyprecision", "exchangerate"],
      filter: "isocurrencycode eq 'EUR'",
    });
    const [euro] = euros.value;
    equal(euro.isocurrencycode, "EUR");
    await set({
      estimatedvalue: 920,
      estimatedvalue_base: 1,
      exchangerate: 7,
      "transactioncurrencyid@odata.bind": `/transactioncurrencies(${euro.transactioncurrencyid})`,
    });
    const row = await get(["estimatedvalue", "estimatedvalue_base", "exchangerate"]);
    equal(row.exchangerate, euro.exchangerate);
    equal(Math.round(row.estimatedvalue_base), Math.round(920 / euro.exchangerate));
  });

  await check("columns that are not valid for update are ignored without a word", async () => {
    const before = await get(["createdon", "_createdby_value"]);
    await set({ createdon: "2001-01-01T00:00:00Z", modifiedon: "2001-01-01T00:00:00Z" });
    status(204);
    const after = await get(["createdon", "modifiedon", "_createdby_value"]);
    equal(after.createdon, before.createdon);
    equal(after.modifiedon.getUTCFullYear() > 2001, true);
  });

  await check("a name put together, a creation date of before, null in every kind of column", async () => {
    const contact = await api.create({
      collection: "contacts",
      data: {
        firstname: "Ines",
        lastname: "Vogel",
        fullname: "Nobody",
        overriddencreatedon: "2020-05-01T08:00:00Z",
      },
    });
    const row = await api.retrieve({
      collection: "contacts",
      key: contact,
      select: ["fullname", "createdon"],
    });
    equal([row.fullname, row.createdon.toISOString()], ["Ines Vogel", "2020-05-01T08:00:00.000Z"]);
    await set({
      estimatedclosedate: null,
      opportunityratingcode: null,
      description: null,
      closeprobability: null,
    });
    const cleared = await get([
      "estimatedclosedate",
      "opportunityratingcode",
      "description",
      "closeprobability",
    ]);
    equal(
      [
        cleared.estimatedclosedate,
        cleared.opportunityratingcode,
        cleared.description,
        cleared.closeprobability,
      ],
      [null, null, null, null],
    );
  });

  const refusals = [
    ["an undeclared property", { nonsense: 1 }, 400, "0x80048d19"],
    ["a name in the wrong case", { Name: "x" }, 400, "0x80048d19"],
    ["text for a number", { closeprobability: "forty" }, 400, "0x80048d19"],
    ["text for money", { estimatedvalue: "12" }, 400, "0x80048d19"],
    ["a time for a date", { estimatedclosedate: "2027-02-28T00:00:00Z" }, 400, "0x80048d19"],
    ["a text that is too long", { name: "N".repeat(301) }, 400, "0x80044331"],
    [
      "the type of another table",
      { "@odata.type": "Microsoft.Dynamics.CRM.lead", name: "x" },
      400,
      "0x80048d19",
    ],
    ["a bind to another table", { "parentcontactid@odata.bind": `/accounts(${account})` }, 400, "0x80048d19"],
    ["a lookup by its value", { _parentaccountid_value: account }, 400, "0x80048d19"],
    ["an unknown option", { opportunityratingcode: 9 }, 400, "0x8004431A"],
    ["a reason of another state", { statecode: 0, statuscode: 4 }, 400, "0x80048408"],
    ["a bind on the bare customer", { "customerid@odata.bind": `/accounts(${account})` }, 400, "0x80048d19"],
    ["a bind to no row", { "parentaccountid@odata.bind": `/accounts(${randomUUID()})` }, 404, "0x80040217"],
    [
      "a bind to no key",
      { "parentaccountid@odata.bind": "/accounts(cosell_customerkey='no')" },
      404,
      "0x80060891",
    ],
  ];
  for (const [name, data, code, hex] of refusals) {
    await check(`refused: ${name}`, () => refused(set(data), code, hex));
  }

  await check("refused: the length in the vendor's words", async () => {
    const error = await refused(set({ name: "N".repeat(301) }), 400, "0x80044331");
    equal(
      error.message,
      "A validation error occurred.  The length of the 'name' attribute of the 'opportunity' " +
        "entity exceeded the maximum allowed length of '300'.",
    );
  });

  await check("lookups: by GUID, by full URL, by alternate key; cleared by null and by $ref", async () => {
    const uris = [
      `accounts(${account})`,
      `${root}/accounts(${account})`,
      "accounts(cosell_customerkey='tail-1')",
    ];
    for (const uri of uris) {
      await set({ "parentaccountid@odata.bind": uri });
      equal((await get(["_parentaccountid_value"]))._parentaccountid_value, account, uri);
      await set({ "parentaccountid@odata.bind": null });
      equal((await get(["_parentaccountid_value"]))._parentaccountid_value, null);
    }
    await set({ "parentaccountid@odata.bind": uris[0] });
    await api.disassociateSingleValued({
      collection,
      primaryKey: deal,
      navigationProperty: "parentaccountid",
    });
    status(204);
    equal((await get(["_parentaccountid_value"]))._parentaccountid_value, null);
  });

  await check("a violated key: 412 with what the annotations add", async () => {
    await api.create({ collection, data: { name: "Owner", cosell_referralid: "dup-1" } });
    const call = { collection, data: { name: "Twin", cosell_referralid: "dup-1" } };
    const plain = await refused(api.create(call), 412, "0x80060892");
    matches(plain.message, /^Entity Key .+ violated\. A record with the same value for .+ already exists\./);
    const told = await refused(api.create({ ...call, includeAnnotations: "*" }), 412, "0x80060892");
    const name = "@Microsoft.PowerApps.CDS.ErrorDetails.DuplicateAttributes";
    equal(
      told[name],
      "<DuplicateAttributes><cosell_referralid>dup-1</cosell_referralid></DuplicateAttributes>",
    );
    await api.create({ collection, data: { name: "No key 1" } });
    await api.create({ collection, data: { name: "No key 2" } });
  });
}
