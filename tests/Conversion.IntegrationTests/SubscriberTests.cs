using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Lifecycle.Conversion.IntegrationTests;

/// <summary>The sample subscriber, as its own process: every change once, in order, across a kill.</summary>
public sealed class SubscriberTests
{
    [Fact]
    public async Task Subscriber_ChangesTwiceAndAKillBetween_PrintsEachOnceInOrder()
    {
        await using var broker = await TestVirtualHost.Create();
        await using var bus = await TestBus.Start(broker);
        var state = Path.Combine(Path.GetTempPath(), $"subscriber-{Guid.CreateVersion7():N}");
        try
        {
            var lead = Guid.CreateVersion7();
            LeadStageChanged[] changes = [Change(lead, 1, "VISITOR", "LEAD"), Change(lead, 2, "LEAD", "MQL"),
                Change(lead, 3, "MQL", "SQL"), Change(lead, 4, "SQL", "OPPORTUNITY")];
            ConcurrentQueue<string> lines = [];
            var probe = Change(Guid.CreateVersion7(), 1, "VISITOR", "LEAD");
            await using (Run(broker, state, lines))
            {
                // What is published before its queue is bound is not for it: the probe comes until one is printed.
                await Eventually.True(async () =>
                {
                    await bus.Publish(probe);
                    return !lines.IsEmpty;
                }, "the subscriber listens");
                foreach (var change in changes.Take(2).SelectMany(change => new[] { change, change }))
                {
                    await bus.Publish(change);
                }

                await Eventually.Equal(3, () => Task.FromResult(lines.Count), "two changes are printed");
                // It notes a change after printing it; killed in between, it would rightly print that one again.
                await Eventually.True(
                    async () => (await File.ReadAllLinesAsync(state)).Contains($"{lead} 2"), "the second change is noted");
            }

            // While it is away changes wait in its queue.
            foreach (var change in changes)
            {
                await bus.Publish(change);
            }

            await using (Run(broker, state, lines))
            {
                await Eventually.Equal(5, () => Task.FromResult(lines.Count), "the rest is printed");
            }

            Assert.Equal(
                ["1 LEAD", "1 LEAD", "2 MQL", "3 SQL", "4 OPPORTUNITY"],
                lines.Select(line => JsonNode.Parse(line)!).Select(line => $"{line["version"]} {line["to"]}"));
            Assert.Equal(
                ["leadId", "from", "to", "reason", "version"], JsonNode.Parse(lines.First())!.AsObject().Select(member => member.Key));
        }
        finally
        {
            File.Delete(state);
        }
    }

    [Theory]
    [InlineData(0, "--help")]
    [InlineData(2, "--nonsense")]
    [InlineData(2, "--state")]
    public async Task Subscriber_CommandLine_IsExplainedOrRefused(int exitCode, string argument)
    {
        using var process = Start([argument], new Dictionary<string, string>());
        var output = await process.StandardOutput.ReadToEndAsync() + await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();

        Assert.Equal(exitCode, process.ExitCode);
        Assert.Contains("--help", output, StringComparison.Ordinal);
    }

    internal static IAsyncDisposable Run(TestVirtualHost broker, string state, ConcurrentQueue<string> lines)
    {
        var process = Start(
            ["--state", state], new Dictionary<string, string> { ["ConnectionStrings__rabbitmq"] = broker.ConnectionString });
        process.OutputDataReceived += (_, data) =>
        {
            if (data.Data is { Length: > 0 } line)
            {
                lines.Enqueue(line);
            }
        };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new RunningProcess(process);
    }

    private static Process Start(string[] arguments, Dictionary<string, string> environment)
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var library = Path.Combine(
            Repository.Root, "samples", "StageChangeSubscriber", "bin", configuration, "net10.0", "StageChangeSubscriber.dll");
        Assert.True(File.Exists(library), $"{library} is not built.");
        var start = new ProcessStartInfo("dotnet", [library, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    private static LeadStageChanged Change(Guid lead, long version, string from, string to) =>
        new(Guid.CreateVersion7(), Guid.CreateVersion7(), Times.March(1), version, lead, from, to, "MANUAL", "key:test", null, null);

    /// <summary>Killed at its end, whatever the test did.</summary>
    private sealed class RunningProcess(Process process) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }
}
