using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Running;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Lifecycle.AppHostTests;

public sealed class ResourceSnapshotTests
{
    private static readonly ResourceSnapshot Server =
        new("server-x", "server", "Executable", new ExecutableResource("server", "/bin/true", "/"), DateTimeOffset.UnixEpoch);

    [Fact]
    public void Condition_NotRunning_IsTheState() => Assert.Equal("Waiting", (Server with { State = ResourceState.Waiting }).Condition);

    [Fact]
    public void Condition_FailingCheck_SaysWhichAndWhy()
    {
        var running = Server with
        {
            State = ResourceState.Running,
            Health = [new("a", HealthStatus.Healthy, null, null), new("database", HealthStatus.Unhealthy, "no connection", null)],
        };

        Assert.False(running.IsHealthy);
        Assert.Equal("Running, but not healthy (database: no connection)", running.Condition);
    }

    [Fact]
    public void IsHealthy_BeforeTheFirstAnswer_IsFalse()
    {
        var running = Server with { State = ResourceState.Running, Health = [new("a", null, null, null)] };

        Assert.False(running.IsHealthy);
        Assert.Equal("Running, but not healthy (a: no answer yet)", running.Condition);
    }

    [Theory]
    [InlineData("2026-03-01T10:00:00.123Z hello world", "2026-03-01T10:00:00.123Z", "hello world")]
    [InlineData("2026-03-01T10:00:00.123Z\tinfo\tfine", "2026-03-01T10:00:00.123Z", "info\tfine")]
    [InlineData("no time at the start of this one", "", "no time at the start of this one")]
    public void LogLine_Text_IsTimeAndMessage(string text, string time, string message)
    {
        var line = new LogLine(1, text, IsError: false);

        Assert.Equal((time, message), (line.Time, line.Message));
    }
}
