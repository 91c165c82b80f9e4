using System.Text;
using System.Text.Json.Nodes;
using Lifecycle.Testing;
using Npgsql;

namespace Lifecycle.Gateway.IntegrationTests;

[Collection(nameof(GatewayGroup))]
public sealed class KeyTests(GatewayFixture gateway)
{
    [Fact]
    public async Task CreateKey_ShowsTheKeyOnce_AndStoresItsHashOnly()
    {
        var created = await gateway.Post("/v1/keys", """{"scopes":["capture:read","metrics:read"],"displayName":"reports"}""", gateway.Key);
        var (id, key) = ((string)created.Json["id"]!, (string)created.Json["key"]!);
        var shown = await gateway.Get($"/v1/keys/{id}", gateway.Key);

        Assert.Matches("^lk_[0-9A-Za-z]{43}$", key);
        Assert.Null(shown.Json["key"]);
        Assert.Equal((key[..10], "SECRET", gateway.Workspace), (
            (string?)shown.Json["keyPrefix"], (string?)shown.Json["kind"], (string?)shown.Json["workspaceId"]));
        Assert.Equal(["capture:read", "metrics:read"], shown.Json["scopes"]!.AsArray().Select(scope => (string)scope!));
        Assert.Equal(0L, await gateway.Database.Scalar<long>("select count(*) from api_key k where k::text like '%' || $1 || '%'", key));
        Assert.Equal(0L, await gateway.Database.Scalar<long>(
            "select count(*) from idempotency i where encode(i.response, 'escape') like '%' || $1 || '%'", key));
    }

    [Fact]
    public async Task CreateKey_Faults_AreAllNamed()
    {
        var answer = await gateway.Post(
            "/v1/keys", """{"scopes":["capture:read","all"],"expireTime":"2020-01-01T00:00:00Z","colour":"red"}""", gateway.Key);
        var known = await gateway.Post(
            "/v1/keys", """{"scopes":["capture:read","all"],"expireTime":"2020-01-01T00:00:00Z"}""", gateway.Key);

        Assert.Equal(["colour"], Fields(answer));
        Assert.Equal(["scopes[1]", "expireTime"], Fields(known));
        Assert.Contains("metrics:read", known.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CreateKey_SameRequestId_MakesOneKey_AndDoesNotShowItAgain()
    {
        Task<Answer> Create(string scope) =>
            gateway.Post(
                "/v1/keys", $$"""{"scopes":["{{scope}}"]}""", gateway.Key, request => request.Headers.Add("Idempotency-Key", "once"));

        var (first, second, other) = (await Create("capture:read"), await Create("capture:read"), await Create("scoring:read"));

        Assert.Equal((string?)first.Json["id"], (string?)second.Json["id"]);
        Assert.NotNull(first.Json["key"]);
        Assert.Null(second.Json["key"]);
        Assert.Equal((409, "ABORTED"), (other.Status, (string?)other.Json["code"]));
    }

    [Theory]
    [InlineData(null, 401)]
    [InlineData("", 401)]
    [InlineData("nonsense", 401)]
    [InlineData("lk_0000000000000000000000000000000000000000000", 401)]
    public async Task Request_WithoutAValidKey_Is401(string? key, int status)
    {
        var answer = await gateway.Get(
            "/v1/leads/7", also: request => request.Headers.TryAddWithoutValidation("Authorization", key is null ? null : $"Bearer {key}"));

        Assert.Equal((status, "application/problem+json"), (answer.Status, answer.Type));
        Assert.Equal("Bearer realm=\"lifecycle\"", answer.Headers["WWW-Authenticate"]);
    }

    [Fact]
    public async Task Request_WithoutTheScope_Is403AndNamesIt()
    {
        var key = await gateway.NewKey(gateway.Workspace, "scoring:read");

        var answer = await gateway.Get("/v1/leads/7", key);

        Assert.Equal(403, answer.Status);
        Assert.Contains("capture:read", answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RevokedKey_IsDeadOnEveryReplica()
    {
        var key = await gateway.NewKey(gateway.Workspace, "capture:read");
        Assert.Equal(
            (200, 200), ((await gateway.Get("/v1/leads/7", key)).Status, (await gateway.Get("/v1/leads/7", key, replica: 1)).Status));
        var id = await gateway.Database.Scalar<Guid>("select id from api_key where key_prefix = $1", key[..10]);

        var deleted = await gateway.Send(HttpMethod.Delete, $"/v1/keys/{id}", gateway.Key);

        Assert.Equal((200, "{}"), (deleted.Status, deleted.Body));
        Assert.Equal(401, (await gateway.Get("/v1/leads/7", key)).Status);
        await Eventually.Equal(
            401, async () => (await gateway.Get("/v1/leads/7", key, replica: 1)).Status, "the other replica refuses the key");
    }

    [Fact]
    public async Task ExpiredKey_IsRefused()
    {
        var key = await gateway.NewKey(gateway.Workspace, "capture:read");
        await gateway.Database.Query("update api_key set expire_time = now() - interval '1 second' where key_prefix = $1", key[..10]);

        Assert.Equal(401, (await gateway.Get("/v1/leads/7", key)).Status);
    }

    [Fact]
    public async Task UsedKey_ShowsWhen()
    {
        var key = await gateway.NewKey(gateway.Workspace, "capture:read");
        await gateway.Get("/v1/leads/7", key);

        await Eventually.True(
            async () => await gateway.Database.Scalar<DateTime>("select last_use_time from api_key where key_prefix = $1", key[..10])
                != default, "the use is written");
    }

    [Fact]
    public async Task PublishableKey_OpensIngestOnly()
    {
        var key = await gateway.NewKey(gateway.Workspace, "capture:write", "PUBLISHABLE");

        Assert.StartsWith("lp_", key, StringComparison.Ordinal);
        Assert.Equal(200, (await gateway.Post("/v1/batch", """{"batch":[]}""", key)).Status);
        foreach (var path in new[] { "/v1/calls", "/v1/chats" })
        {
            Assert.Equal(200, (await gateway.Post($"{path}?key={key}", """{"from":"+4930123456"}""")).Status);
        }

        Assert.Equal(403, (await gateway.Get("/v1/leads/7", key)).Status);
        Assert.Equal(403, (await gateway.Post("/v1/leads", "{}", key)).Status);
    }

    [Fact]
    public async Task Ingest_TakesBasicAndQueryKeys_OthersDoNot()
    {
        var key = await gateway.NewKey(gateway.Workspace, "capture:write", "PUBLISHABLE");
        void Basic(HttpRequestMessage request) =>
            request.Headers.Add("Authorization", $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{key}:"))}");

        var basic = await gateway.Post("/v1/batch", "{}", also: Basic);
        var query = await gateway.Post($"/v1/batch?key={key}&a=1", "{}");

        Assert.Equal((200, 200), (basic.Status, query.Status));
        Assert.Equal(gateway.Workspace, (string?)basic.Json["workspace"]);
        Assert.Equal(("?a=1", ""), ((string?)query.Json["query"], (string?)query.Json["authorization"]));
        Assert.Equal(401, (await gateway.Get($"/v1/leads/7?key={gateway.Key}")).Status);
    }

    [Fact]
    public async Task AnotherWorkspace_IsNeitherSeenNorChanged()
    {
        var (other, otherKey) = await gateway.NewWorkspace();
        var id = await gateway.Database.Scalar<Guid>("select id from api_key where key_prefix = $1", otherKey[..10]);

        Assert.Equal(404, (await gateway.Get($"/v1/keys/{id}", gateway.Key)).Status);
        Assert.Equal(404, (await gateway.Send(HttpMethod.Delete, $"/v1/keys/{id}", gateway.Key)).Status);
        Assert.Equal(404, (await gateway.Get($"/v1/workspaces/{other}", gateway.Key)).Status);
        Assert.Equal(404, (await gateway.Post("/v1/keys", $$"""{"workspaceId":"{{other}}","scopes":["admin"]}""", gateway.Key)).Status);
        Assert.Equal(403, (await gateway.Post("/v1/workspaces", """{"displayName":"Mine"}""", gateway.Key)).Status);
        Assert.Equal([other], (await gateway.Get("/v1/workspaces", otherKey)).Json["workspaces"]!.AsArray()
            .Select(workspace => (string)workspace!["id"]!));
    }

    [Fact]
    public async Task Workspaces_ByName_AreAllOfThemOverPages()
    {
        await gateway.NewWorkspace();
        await gateway.NewWorkspace();
        Task<List<string>> Read(string orderBy) => PagedList.Read(
            async path => (JsonNode)(await gateway.Get(path, GatewayFixture.AdminKey)).Json, "/v1/workspaces", orderBy,
            workspace => (string)workspace["id"]!);

        var made = await Read("");

        Assert.Equal(made.Order(StringComparer.Ordinal), (await Read("displayName desc")).Order(StringComparer.Ordinal));
        Assert.Equal(400, (await gateway.Get("/v1/workspaces?orderBy=timeZone", GatewayFixture.AdminKey)).Status);
    }

    [Fact]
    public async Task ApplicationRole_SeesAKeyByItsHashOnly()
    {
        await using var connection = await gateway.Database.Application.OpenConnectionAsync();
        async Task<long> Count(string setup)
        {
            await using var transaction = await connection.BeginTransactionAsync();
            await using var command = new NpgsqlCommand($"{setup}; select count(*) from gateway.api_key", connection);
            await using var reader = await command.ExecuteReaderAsync();
            await reader.NextResultAsync();
            await reader.ReadAsync();
            return reader.GetInt64(0);
        }

        var hash = Convert.ToHexString(
            await gateway.Database.Scalar<byte[]>("select key_hash from api_key where key_prefix = $1", gateway.Key[..10]) ?? []);

        Assert.Equal(0, await Count("select 1"));
        Assert.Equal(1, await Count($"select set_config('app.key_hash', '{hash}', true)"));
        Assert.True(await Count($"select set_config('app.workspace_id', '{gateway.Workspace}', true)") >= 1);
    }

    [Fact]
    public async Task Administrator_NamesTheWorkspace()
    {
        var none = await gateway.Get("/v1/leads/7", GatewayFixture.AdminKey);
        var named = await gateway.Get(
            "/v1/leads/7", GatewayFixture.AdminKey, also: request => request.Headers.Add("X-Workspace-Id", gateway.Workspace));
        var unknown = await gateway.Get(
            "/v1/leads/7", GatewayFixture.AdminKey, also: request => request.Headers.Add("X-Workspace-Id", Guid.Empty.ToString()));

        Assert.Equal((400, 200, 404), (none.Status, named.Status, unknown.Status));
        Assert.Equal(gateway.Workspace, (string?)named.Json["externalId"]);
    }

    [Fact]
    public async Task Workspace_Change_ReachesTheNextRequest()
    {
        var (workspace, key) = await gateway.NewWorkspace("America/New_York", "USD");
        Assert.EndsWith("America/New_York USD", (string)(await gateway.Get("/v1/leads/7", key)).Json["email"]!, StringComparison.Ordinal);

        var changed = await gateway.Send(
            HttpMethod.Patch, $"/v1/workspaces/{workspace}", key,
            new StringContent("""{"timeZone":"Asia/Tokyo","currencyCode":"JPY"}""", Encoding.UTF8, "application/json"));

        Assert.Equal(("Acme", "Asia/Tokyo"), ((string?)changed.Json["displayName"], (string?)changed.Json["timeZone"]));
        Assert.EndsWith("Asia/Tokyo JPY", (string)(await gateway.Get("/v1/leads/7", key)).Json["email"]!, StringComparison.Ordinal);
        Assert.Equal(2L, await gateway.Database.Scalar<long>("select version from workspace where id = $1", Guid.Parse(workspace)));
    }

    [Fact]
    public async Task Workspace_Faults_AreAllNamed()
    {
        var answer = await gateway.Post(
            "/v1/workspaces", """{"timeZone":"Pacific Standard Time","currencyCode":"BTC"}""", GatewayFixture.AdminKey);

        Assert.Equal(["displayName", "timeZone", "currencyCode"], Fields(answer));
    }

    private static IEnumerable<string> Fields(Answer answer) => answer.Json["errors"]!.AsArray().Select(error => (string)error!["field"]!);
}
