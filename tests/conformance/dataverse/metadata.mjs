// Definitions of tables and columns, and provisioning: a column, then its key, which must become active.

import { check, equal, matches, refused } from "./check.mjs";
import { answer, status } from "./wire.mjs";

const entityKey = "LogicalName='account'";
const label = (text) => ({ LocalizedLabels: [{ Label: text, LanguageCode: 1033 }] });

export async function metadata({ api, root }) {
  await check("a table tells whether its changes are tracked", async () => {
    const select = ["LogicalName", "ChangeTrackingEnabled", "IsOptimisticConcurrencyEnabled"];
    const table = await api.retrieveEntity({ key: "LogicalName='opportunity'", select });
    equal(
      [table.LogicalName, table.ChangeTrackingEnabled, table.IsOptimisticConcurrencyEnabled],
      ["opportunity", true, true],
    );
    equal(typeof table.MetadataId, "string", "the id comes unasked");
    equal(table.oDataContext, `${root}/$metadata#EntityDefinitions(${select.join(",")})/$entity`);
  });

  await check("a column tells its type; an unknown one is a 404", async () => {
    const call = { entityKey: "LogicalName='opportunity'", select: ["LogicalName"] };
    const column = await api.retrieveAttribute({ ...call, attributeKey: "LogicalName='cosell_referralid'" });
    equal(column["@odata.type"], "#Microsoft.Dynamics.CRM.StringAttributeMetadata");
    await refused(api.retrieveAttribute({ ...call, attributeKey: "LogicalName='cosell_nothing'" }), 404);
    await refused(api.retrieveEntity({ key: "LogicalName='nothing'", select: ["LogicalName"] }), 404);
    const castType = "Microsoft.Dynamics.CRM.StringAttributeMetadata";
    const long = await api.retrieveAttribute({
      ...call,
      select: ["MaxLength"],
      attributeKey: "LogicalName='name'",
      castType,
    });
    equal(long.MaxLength, 300);
  });

  await check("status reasons with the state they belong to", async () => {
    const page = await api.retrieveAttributes({
      entityKey: "LogicalName='opportunity'",
      castType: "Microsoft.Dynamics.CRM.StatusAttributeMetadata",
      select: ["LogicalName"],
      expand: [{ property: "OptionSet" }],
    });
    const options = page.value[0].OptionSet.Options.map((one) => [one.Value, one.State]);
    equal(options, [
      [1, 0],
      [2, 0],
      [3, 1],
      [4, 2],
      [5, 2],
    ]);
  });

  const column = {
    "@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata",
    AttributeType: "String",
    AttributeTypeName: { Value: "StringType" },
    SchemaName: "csl_ExternalId",
    MaxLength: 100,
    FormatName: { Value: "Text" },
    RequiredLevel: { Value: "None" },
    DisplayName: label("External Id"),
    Description: label("The key of the other side."),
  };
  const headers = { "MSCRM.SolutionUniqueName": "CoSellLink" };
  const made = /\/EntityDefinitions\([0-9a-f-]{36}\)\/Attributes\([0-9a-f-]{36}\)$/;

  await check("a column is added: unknown before, 204, then written and read", async () => {
    const write = () => api.create({ collection: "accounts", data: { name: "x", csl_externalid: "A-1" } });
    await refused(write(), 400, "0x80048d19");
    await api.createAttribute({ entityKey, data: column, headers });
    status(204);
    matches(answer().headers["odata-entityid"], made);
    const id = await write();
    const row = await api.retrieve({ collection: "accounts", key: id, select: ["csl_externalid"] });
    equal(row.csl_externalid, "A-1");
    await refused(api.createAttribute({ entityKey, data: column, headers }), 400);
  });

  await check("columns of the other documented types", async () => {
    const kinds = {
      Integer: { MinValue: 0, MaxValue: 10 },
      Boolean: { DefaultValue: false },
      Memo: { MaxLength: 2000 },
      Money: { PrecisionSource: 2 },
      DateTime: { Format: "DateAndTime", DateTimeBehavior: { Value: "UserLocal" } },
    };
    for (const [kind, more] of Object.entries(kinds)) {
      const data = {
        "@odata.type": `Microsoft.Dynamics.CRM.${kind}AttributeMetadata`,
        AttributeType: kind,
        AttributeTypeName: { Value: `${kind}Type` },
        SchemaName: `csl_${kind}`,
        RequiredLevel: { Value: "None" },
        DisplayName: label(kind),
        ...more,
      };
      await api.createAttribute({ entityKey, data, headers });
      status(204);
    }
    const call = (data) => api.create({ collection: "accounts", data });
    await call({
      csl_integer: 10,
      csl_boolean: true,
      csl_memo: "m",
      csl_money: 1.5,
      csl_datetime: "2026-11-20T10:15:00Z",
    });
    await refused(call({ csl_integer: 11 }), 400);
    await refused(call({ csl_boolean: "true" }), 400, "0x80048d19");
  });

  await check("a key: not to be used until its index is active", async () => {
    const upsert = () =>
      api.upsert({ collection: "accounts", key: "csl_externalid='A-2'", data: { name: "y" } });
    const keys = { collection: "EntityDefinitions", key: entityKey, navigationProperty: "Keys" };
    const data = {
      SchemaName: "csl_externalid_key",
      DisplayName: label("External Id key"),
      KeyAttributes: ["csl_externalid"],
    };
    await api.create({ ...keys, data, headers });
    status(204);
    matches(
      answer().headers["odata-entityid"],
      /\/EntityDefinitions\([0-9a-f-]{36}\)\/Keys\([0-9a-f-]{36}\)$/,
    );
    await refused(upsert(), 400, "0x80060888");
    const seen = [];
    while (seen.at(-1) !== "Active" && seen.length < 20) {
      const page = await api.retrieveMultiple({
        ...keys,
        select: ["SchemaName", "KeyAttributes", "EntityKeyIndexStatus"],
      });
      const key = page.value.find((one) => one.SchemaName === "csl_externalid_key");
      equal(key.KeyAttributes, ["csl_externalid"]);
      if (key.EntityKeyIndexStatus !== seen.at(-1)) seen.push(key.EntityKeyIndexStatus);
    }
    equal(seen, ["Pending", "InProgress", "Active"]);
    await upsert();
    status(204);
    await refused(api.create({ collection: "accounts", data: { csl_externalid: "A-2" } }), 412, "0x80060892");
  });

  await check("a key over values that are there twice fails", async () => {
    const keys = { collection: "EntityDefinitions", key: entityKey, navigationProperty: "Keys" };
    for (const accountnumber of ["7", "7"])
      await api.create({ collection: "accounts", data: { accountnumber } });
    const data = {
      SchemaName: "csl_number_key",
      DisplayName: label("Number"),
      KeyAttributes: ["accountnumber"],
    };
    await api.create({ ...keys, data });
    let found;
    for (let n = 0; n < 20 && !["Active", "Failed"].includes(found); n += 1) {
      const page = await api.retrieveMultiple({ ...keys, select: ["SchemaName", "EntityKeyIndexStatus"] });
      found = page.value.find((one) => one.SchemaName === "csl_number_key").EntityKeyIndexStatus;
    }
    equal(found, "Failed");
  });
}
