// Change tracking: the initial load, delta links, deletions, and what ends a token.

import { check, equal, matches, refused } from "./check.mjs";
import { act, answer } from "./wire.mjs";

const collection = "contacts";
const names = (page) => page.value.map((row) => row.lastname);

export async function changes({ api, org, root }) {
  const select = ["lastname"];
  const ids = [];
  for (const lastname of ["Ada", "Bea", "Cleo"]) {
    ids.push(await api.create({ collection, data: { lastname } }));
  }
  const start = () => api.retrieveMultiple({ collection, select, trackChanges: true });
  const follow = (link) => api.retrieveMultiple({ collection }, link);
  const removed = (page) => page.value.filter((row) => row.reason === "deleted").map((row) => row.id);

  await check("initial load: every row, the deltaLink on the last page only", async () => {
    const call = { collection, select, trackChanges: true, maxPageSize: 2 };
    let page = await api.retrieveMultiple(call);
    matches(answer().headers["preference-applied"], /odata\.track-changes/);
    const seen = names(page);
    const rows = page.value.map((row) => row.contactid);
    let pages = 1;
    while (page.oDataNextLink) {
      equal(page.oDataDeltaLink, undefined, "not before the last page");
      page = await api.retrieveMultiple(call, page.oDataNextLink);
      seen.push(...names(page));
      rows.push(...page.value.map((row) => row.contactid));
      pages += 1;
    }
    equal(pages > 1, true, "the load had more than one page");
    matches(page.oDataDeltaLink, /\$select=lastname.*\$deltatoken=\d+%21/);
    equal(
      ["Ada", "Bea", "Cleo"].every((name) => seen.includes(name)),
      true,
      seen.join(),
    );
    equal(new Set(rows).size, rows.length, "no row twice");
    const all = await api.retrieveAll(call);
    equal([all.value.length, typeof all.oDataDeltaLink], [rows.length, "string"]);
  });

  await check("nothing happened: an empty page and a new link", async () => {
    const { oDataDeltaLink } = await start();
    const page = await follow(oDataDeltaLink);
    equal(page.value, []);
    equal(page.oDataContext, `${root}/$metadata#contacts(lastname)/$delta`);
    equal(typeof page.oDataDeltaLink, "string");
  });

  await check("created, updated and deleted rows: deletions last, the link repeatable", async () => {
    const { oDataDeltaLink } = await start();
    const made = await api.create({ collection, data: { lastname: "Dora" } });
    await api.deleteRecord({ collection, key: ids[1] });
    await api.update({ collection, key: ids[0], data: { lastname: "Ada 1" } });
    await api.update({ collection, key: ids[0], data: { lastname: "Ada 2" } });
    const brief = await api.create({ collection, data: { lastname: "Brief" } });
    await api.deleteRecord({ collection, key: brief });
    const page = await follow(oDataDeltaLink);
    equal(names(page).slice(0, 2), ["Dora", "Ada 2"]);
    equal([page.value[0].contactid, typeof page.value[0]["@odata.etag"]], [made, "string"]);
    equal(removed(page), [ids[1], brief]);
    equal(page.value.length, 4);
    const [gone] = page.value.filter((row) => row.reason);
    equal(gone.oDataContext, `${root}/$metadata#contacts/$deletedEntity`);
    const again = await follow(oDataDeltaLink);
    equal(
      [names(again).slice(0, 2), removed(again)],
      [
        ["Dora", "Ada 2"],
        [ids[1], brief],
      ],
    );
    equal((await follow(page.oDataDeltaLink)).value, []);
  });

  await check("the number of changes is asked with the token", async () => {
    const { oDataDeltaLink } = await start();
    const token = /\$deltatoken=[^&]+/.exec(oDataDeltaLink)[0];
    equal(await api.count({ collection, queryParams: [token] }), 0);
    await api.update({ collection, key: ids[2], data: { lastname: "Cleo 1" } });
    equal(await api.count({ collection, queryParams: [token] }), 1);
    matches(answer().headers["content-type"], /^text\/plain/);
  });

  await check("a seller's write comes as ours does", async () => {
    const { oDataDeltaLink } = await start();
    await act(org, "edit", { table: collection, id: ids[2], set: { lastname: "Cleo 2" } });
    equal(names(await follow(oDataDeltaLink)), ["Cleo 2"]);
  });

  await check("refused: filter, order, expand and top beside change tracking", async () => {
    const cases = {
      $filter: { filter: "lastname eq 'x'" },
      $orderby: { orderBy: ["lastname"] },
      $expand: { expand: [{ property: "parentcustomerid_account", select: ["name"] }] },
      $top: { top: 1 },
    };
    for (const [name, more] of Object.entries(cases)) {
      const error = await refused(
        api.retrieveMultiple({ collection, select, trackChanges: true, ...more }),
        400,
      );
      equal(error.message, `The "${name}" query parameter isn't supported when Change Tracking is enabled.`);
    }
  });

  await check("an expired token: ExpiredVersionStamp, and a new load goes on", async () => {
    const { oDataDeltaLink } = await start();
    await act(org, "expire-delta-tokens");
    const error = await refused(follow(oDataDeltaLink), 400, "0x80044352");
    matches(error.message, /^Version stamp associated with the client has expired/);
    const fresh = await start();
    equal((await follow(fresh.oDataDeltaLink)).value, []);
  });

  await check("a new column ends the tokens of its table", async () => {
    const { oDataDeltaLink } = await start();
    const label = (text) => ({ LocalizedLabels: [{ Label: text, LanguageCode: 1033 }] });
    await api.createAttribute({
      entityKey: "LogicalName='contact'",
      data: {
        "@odata.type": "Microsoft.Dynamics.CRM.BooleanAttributeMetadata",
        SchemaName: "cosell_Vip",
        DisplayName: label("VIP"),
        RequiredLevel: { Value: "None" },
      },
    });
    await refused(follow(oDataDeltaLink), 400, "0x80044352");
  });
}
