using System.Collections.Concurrent;
using Lifecycle.Postgres;
using Lifecycle.Testing;
using Lifecycle.Trial.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lifecycle.Shared.IntegrationTests.Postgres;

public sealed class WorkspaceJobTests : TrialDatabase
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(5);

    private readonly ManualTimeProvider time = new(Noon);
    private readonly Guid[] workspaces = [.. Enumerable.Range(0, 3).Select(_ => Guid.CreateVersion7(Noon)).Order()];

    [Fact]
    public async Task Run_OneWorkspaceFails_OthersRunAndNextRoundComesBackToIt()
    {
        await AddWorkspaces();
        using var job = new CountingJob(Database.UnitOfWork<TrialDbContext>(time), time, fails: workspaces[1]);
        await job.StartAsync(Ct);

        await Eventually.True(() => Task.FromResult(workspaces.All(id => job.Visits.GetValueOrDefault(id) == 1)), "a first round");
        await Eventually.True(
            () =>
            {
                time.Advance(Pause);
                return Task.FromResult(workspaces.All(id => job.Visits.GetValueOrDefault(id) >= 2));
            },
            "a second round");

        await job.StopAsync(Ct);
    }

    [Fact]
    public async Task Run_JobThatBeginsLater_RestsFirst()
    {
        await AddWorkspaces();
        using var job = new CountingJob(Database.UnitOfWork<TrialDbContext>(time), time, atOnce: false);
        await job.StartAsync(Ct);
        Assert.Empty(job.Visits);

        await Eventually.True(
            () =>
            {
                time.Advance(Pause);
                return Task.FromResult(workspaces.All(job.Visits.ContainsKey));
            },
            "a first round after the pause");

        await job.StopAsync(Ct);
    }

    private async Task AddWorkspaces()
    {
        await using var command = Database.Administrator.CreateCommand(
            "insert into workspace select id, 'Acme', 'UTC', 'USD', 1 from unnest($1) id");
        command.Parameters.AddWithValue(workspaces);
        await command.ExecuteNonQueryAsync(Ct);
    }

    private sealed class CountingJob(UnitOfWork<TrialDbContext> work, TimeProvider time, Guid fails = default, bool atOnce = true)
        : WorkspaceJob<TrialDbContext>(work, Pause, time, NullLogger.Instance)
    {
        public ConcurrentDictionary<Guid, int> Visits { get; } = [];

        protected override bool BeginsAtOnce => atOnce;

        protected override Task Run(Guid workspaceId, CancellationToken ct)
        {
            Visits.AddOrUpdate(workspaceId, 1, (_, count) => count + 1);
            return workspaceId == fails ? throw new InvalidDataException("This workspace fails.") : Task.CompletedTask;
        }
    }
}
