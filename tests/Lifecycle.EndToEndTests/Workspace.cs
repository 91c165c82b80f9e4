namespace Lifecycle.EndToEndTests;

/// <summary>A workspace of one test's own with a key to it.</summary>
public sealed class Workspace : IDisposable
{
    private Workspace(string id, string key, Api api) => (Id, Key, Api) = (id, key, api);

    public string Id { get; }

    public string Key { get; }

    public Api Api { get; }

    public static async Task<Workspace> Open(RunningSuite suite, params string[] scopes)
    {
        using var admin = suite.Admin();
        var id = (await admin.Post("/v1/workspaces", new { displayName = "Test", timeZone = "Europe/Berlin", currencyCode = "USD" }))
            .Text("id");
        var key = (await admin.Post(
            "/v1/keys", new { workspaceId = id, kind = "SECRET", scopes = scopes.Length > 0 ? scopes : ["admin"], displayName = "test" }))
            .Text("key");
        return new(id, key, suite.Client(key));
    }

    public void Dispose() => Api.Dispose();
}
