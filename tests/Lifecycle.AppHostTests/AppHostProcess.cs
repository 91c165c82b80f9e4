using System.Diagnostics;
using System.Text.Json;
using Aspire.Hosting.Running;

namespace Lifecycle.AppHostTests;

/// <summary>Runs the AppHost's own executable, asking it only what it would start.</summary>
internal static class AppHostProcess
{
    public static async Task<IReadOnlyList<ResourceDescription>> DescribeAsync(params (string Name, string Value)[] environment)
    {
        var (exitCode, output, errors) = await RunAsync(["--operation", "describe"], environment);
        Assert.True(exitCode == 0, errors);
        return JsonSerializer.Deserialize<List<ResourceDescription>>(output, JsonSerializerOptions.Web)!;
    }

    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(
        string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("dotnet", [Repository.AppHost, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in (string[])["PostgresPassword", "RabbitMqPassword", "DatabasePassword", "IdentitySecret", "AdminKey"])
            start.Environment[$"Parameters__{name}"] = $"the-{name}";
        start.Environment["LIFECYCLE_INFRA"] = "native";
        foreach (var (name, value) in environment) start.Environment[name] = value;

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output, await errors);
    }
}
