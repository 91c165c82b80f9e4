using Lifecycle.Conversion.Features.WatchHandoffs;
using Lifecycle.Conversion.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Conversion.Jobs;

/// <summary>Looks for hand-offs past their deadline, round by round.</summary>
public sealed class HandoffWatcher(
    WatchHandoffs watch, UnitOfWork<ConversionDbContext> work, IOptions<ConversionOptions> options, TimeProvider time,
    ILogger<HandoffWatcher> logger)
    : WorkspaceJob<ConversionDbContext>(work, TimeSpan.FromSeconds(options.Value.HandoffPollSeconds), time, logger)
{
    protected override Task Run(Guid workspaceId, CancellationToken ct) => watch.Handle(workspaceId, ct);
}
