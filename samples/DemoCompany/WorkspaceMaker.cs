namespace DemoCompany;

/// <summary>Makes the workspace and its keys with the administrator's key.</summary>
internal sealed class WorkspaceMaker(Arguments arguments, Progress progress)
{
    private static readonly string[] Scopes =
    [
        .. new[] { "capture", "scoring", "nurture", "conversion", "retention" }
            .SelectMany(service => new[] { $"{service}:read", $"{service}:write" }), "metrics:read",
    ];

    /// <summary>A new secret key of the workspace of these arguments, which is made when there is none.</summary>
    public async Task<string> Make(CancellationToken ct)
    {
        var plan = arguments.Plan;
        using var admin = new Gateway(arguments.Gateway, arguments.AdminKey!, TimeProvider.System);
        var name = $"Demo: Harbour Analytics ({Plan.Day(plan.Now)}, {plan.Days} days, {plan.Visitors} visitors, seed {plan.Seed})";
        var known = (await admin.List("/v1/workspaces", "workspaces", ct)).Find(workspace => workspace.Text("displayName") == name);
        var id = (known
            ?? await admin.Post("/v1/workspaces", new { displayName = name, timeZone = "Europe/London", currencyCode = "USD" }, "", ct))
                .Text("id");
        var key = await admin.Post(
            "/v1/keys", new { workspaceId = id, kind = "SECRET", scopes = Scopes, displayName = "demo company" }, "", ct);
        var site = await admin.Post("/v1/keys", new { workspaceId = id, kind = "PUBLISHABLE", displayName = "demo site" }, "", ct);
        progress.Say($"{(known is null ? "made" : "found")} the workspace {name}");
        Console.WriteLine($"           workspace {id}");
        Console.WriteLine($"           secret key {key.Text("key")}");
        Console.WriteLine($"           publishable key {site.Text("key")}");
        return key.Text("key");
    }
}
