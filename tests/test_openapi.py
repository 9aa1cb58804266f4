"""The API's description: true to what the operations take and answer."""

from fixtures_dashboard import Dashboard


async def test_anybody_gets_the_description(dashboard: Dashboard) -> None:
    answer = await dashboard.visitor().get("/api/v1/openapi.json")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    described = answer.json
    assert described["openapi"] == "3.1.0"
    errors = described["paths"]["/api/v1/stacks/{slug}/errors"]["get"]
    assert errors["summary"] == "List errors, newest first."
    limit = next(each for each in errors["parameters"] if each["name"] == "limit")
    assert (limit["schema"]["minimum"], limit["schema"]["maximum"]) == (1, 1000)
    assert "/v/{share_id}/api/errors" in described["paths"]


async def test_every_operation_has_a_name_and_words(dashboard: Dashboard) -> None:
    described = (await dashboard.visitor().get("/api/v1/openapi.json")).json
    operations = [each for path in described["paths"].values() for each in path.values()]
    names = [each["operationId"] for each in operations]
    assert len(set(names)) == len(names)
    assert all(each["summary"].endswith(".") for each in operations)
    tags = {each["name"] for each in described["tags"]}
    assert {tag for each in operations for tag in each["tags"]} == tags
