"""The TypeScript client in a real browser: in a page of the service's own host, with an API key."""

from __future__ import annotations

import pytest

from rig.browser import open_browser
from rig.service import Tenant
from rig.typescript_client import Package

pytestmark = [pytest.mark.needs_npm, pytest.mark.needs_chromium, pytest.mark.timeout(400)]

# Cuts off the answer of the first move, so that the client has to send it again.
MOVES = """async ({group, key, source, target, leads, secret}) => {
    const {Leadyard, LeadyardError, verifyWebhook} = await import("/client/index.js");
    let lost = 0;
    const losing = async (url, init) => {
        const response = await fetch(url, init);
        if (init.method === "POST" && lost++ === 0) throw new TypeError("lost");
        return response;
    };
    const client = new Leadyard({baseUrl: location.origin, apiKey: key, accountGroupId: group, fetch: losing});
    const {movedCount} = await client.moveLeads(source, target, leads);
    const ids = [];
    for await (const {id} of client.prospects(target)) ids.push(id);
    const error = await client.moveLeads(source, target, leads).catch((reason) => reason);
    const csv = await new Response(await client.exportProspects(target)).text();
    const file = new File(["Email\\nada@example.org\\n"], "people.csv", {type: "text/csv"});
    const {sizeBytes} = await client.createUpload(file);
    const forged = await verifyWebhook(secret, new Headers(), "{}").catch((reason) => reason.code);
    const refused = error instanceof LeadyardError ? error.code : String(error);
    return {movedCount, ids, lost, refused, lines: csv.trim().split("\\n").length, sizeBytes, forged};
}"""


def test_the_client_in_a_browser(package: Package, tenant: Tenant) -> None:
    source, target = tenant.create_audience("Source"), tenant.create_audience("Target")
    leads = tenant.add_leads(source, 3)
    given = {
        "group": tenant.account_group_id,
        "key": tenant.key,
        "source": source,
        "target": target,
        "leads": leads,
        "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    }
    with open_browser() as browser:
        page = browser.new_page()
        # The policy of the page allows scripts of its own host only, so the files appear there.
        page.route(
            "**/client/*.js",
            lambda route: route.fulfill(path=package.folder / "dist" / route.request.url.split("/")[-1]),
        )
        page.goto(f"{tenant.service.base_url}/")
        result = page.evaluate(MOVES, given)
    assert sorted(result.pop("ids")) == sorted(leads)
    assert result == {
        "movedCount": 3,
        "lost": 4,
        "refused": "LEADS_NOT_IN_SOURCE",
        "lines": 4,
        "sizeBytes": 22,
        "forged": "HEADERS_MISSING",
    }
    assert len(tenant.walk("/moves")) == 1
